-- grain: one row per record (contact, lead, deal) and subject of the funnel that it speaks of
{{ config(materialized='table', share=['person']) }}

-- A person goes through the funnel with all their records, a company with all its people and deals,
-- a deal by itself.
with contact_account as (
    select record_type, record_id, identity_node_id, account_key
    from {{ ref('int_contact_account') }}
    where not is_deleted
),

bridge as (
    select identity_node_id, customer_key from {{ ref('bridge_identity') }}
    where valid_to = {{ end_of_time() }} and identity_node_id <> 0
),

deal as (
    select deal_id, deal_key, account_key, outcome from {{ ref('int_deal') }} where not is_deleted
),

party as (
    select deal_id, member_type, member_id, customer_key from {{ ref('int_deal_party') }}
),

person as (
    select
        contact_account.record_type,
        contact_account.record_id,
        coalesce(
            nullif(bridge.customer_key, 0),
            durable_key('funnel_person', contact_account.record_type, contact_account.record_id)
        ) as subject_key,
        coalesce(bridge.customer_key, 0) as customer_key,
        contact_account.account_key
    from contact_account
    left join bridge on contact_account.identity_node_id = bridge.identity_node_id
),

-- The company of a deal is its own, else that of the people who take part in it, if it is one.
account_of_party as (
    select party.deal_id, min(person.account_key) as account_key
    from party
    inner join person
        on party.member_type = person.record_type and party.member_id = person.record_id
    where person.account_key <> 0
    group by party.deal_id
    having count(distinct person.account_key) = 1
),

deal_with_account as (
    select
        deal.*,
        case
            when deal.account_key <> 0 then deal.account_key
            else coalesce(account_of_party.account_key, 0)
        end as subject_account_key
    from deal
    left join account_of_party on deal.deal_id = account_of_party.deal_id
),

every_subject as (
    select
        'person' as subject_type, subject_key, record_type, record_id, customer_key,
        cast(null as text) as deal_outcome
    from person

    union all

    select
        'account' as subject_type, account_key as subject_key, record_type, record_id,
        customer_key, cast(null as text) as deal_outcome
    from person
    where account_key <> 0

    union all

    select
        'deal' as subject_type, deal_key as subject_key, 'deal' as record_type,
        deal_id as record_id, cast(0 as bigint) as customer_key, outcome as deal_outcome
    from deal_with_account

    union all

    select
        'account' as subject_type, subject_account_key as subject_key, 'deal' as record_type,
        deal_id as record_id, cast(0 as bigint) as customer_key, outcome as deal_outcome
    from deal_with_account
    where subject_account_key <> 0

    union all

    -- Who takes part in a deal comes as far as the deal does.
    select
        'person' as subject_type, person.subject_key, 'deal' as record_type,
        party.deal_id as record_id, party.customer_key, deal.outcome as deal_outcome
    from party
    inner join person
        on party.member_type = person.record_type and party.member_id = person.record_id
    inner join deal on party.deal_id = deal.deal_id
),

final as (
    select
        subject_type,
        subject_key,
        record_type,
        record_id,
        max(customer_key) as customer_key,
        min(deal_outcome) as deal_outcome
    from every_subject
    group by subject_type, subject_key, record_type, record_id
)

select * from final
