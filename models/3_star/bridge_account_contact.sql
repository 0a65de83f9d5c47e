-- grain: one row per company and customer who belongs to it
{{ config(materialized='table') }}

with contact as (
    select
        account_id,
        contact_id,
        min(coalesce(effective_at, created_at, {{ beginning() }})) as first_at
    from {{ entity('contact') }}
    where account_id is not null
    group by account_id, contact_id
),

-- Whom the CRM puts to no company, the domain of the mail address may; never against its word.
matched as (
    select account_id, record_id, identity_node_id, method, first_at
    from {{ ref('int_contact_account') }}
    where account_id is not null and method <> 'stated' and not is_deleted
),

member as (
    select
        account_id,
        {{ node_key('contact', 'contact_id') }} as identity_node_id,
        'stated' as method,
        first_at
    from contact

    union all

    select account_id, identity_node_id, method, coalesce(first_at, {{ beginning() }}) as first_at
    from matched
),

bridge as (
    select identity_node_id, customer_key from {{ ref('bridge_identity') }}
    where valid_to = {{ end_of_time() }}
),

final as (
    select
        durable_key('account', member.account_id) as account_key,
        bridge.customer_key,
        count(*) as contact_count,
        min(member.first_at) as first_at,
        bool_or(member.method = 'stated') as is_stated,
        case
            when bool_or(member.method = 'stated') then 'stated'
            else min(member.method)
        end as method
    from member
    inner join bridge on member.identity_node_id = bridge.identity_node_id
    group by durable_key('account', member.account_id), bridge.customer_key
)

select * from final
