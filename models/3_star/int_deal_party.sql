-- grain: one row per deal and contact, or lead without a contact, that takes part in it
{{ config(materialized='table', sort=['deal_key']) }}

with deal_contact as (
    select
        deal_id,
        'contact' as member_type,
        contact_id as member_id,
        string_agg(distinct role, ', ' order by role) as role,
        bool_or(coalesce(is_primary, false)) as is_primary
    from {{ entity('deal_contact') }}
    where not coalesce(is_deleted, false)
    group by deal_id, contact_id
),

lead as (
    select
        lead_id,
        last_value(deal_id) ignore nulls over by_time as deal_id,
        last_value(contact_id) ignore nulls over by_time as contact_id,
        row_number() over (partition by lead_id order by effective_at desc nulls last, _raw_id desc)
            as place
    from {{ entity('lead') }}
    window by_time as (
        partition by lead_id order by effective_at nulls first, _raw_id
        rows between unbounded preceding and unbounded following
    )
),

-- A lead that became the deal takes part in it, as the contact it became where it did.
of_lead as (
    select
        lead.deal_id,
        case when lead.contact_id is null then 'lead' else 'contact' end as member_type,
        coalesce(lead.contact_id, lead.lead_id) as member_id,
        cast(null as text) as role,
        false as is_primary
    from lead
    left anti join deal_contact
        on lead.deal_id = deal_contact.deal_id and lead.contact_id = deal_contact.member_id
    where lead.place = 1 and lead.deal_id is not null
),

every_member as (
    select deal_id, member_type, member_id, role, is_primary from deal_contact
    union all
    select deal_id, member_type, member_id, min(role) as role, bool_or(is_primary) as is_primary
    from of_lead
    group by deal_id, member_type, member_id
),

keyed as (
    select
        *,
        coalesce(
            case
                when member_type = 'contact' then {{ node_key('contact', 'member_id') }}
                else {{ node_key('lead', 'member_id') }}
            end,
            0
        ) as identity_node_id
    from every_member
),

bridge as (
    select identity_node_id, customer_key from {{ ref('bridge_identity') }}
    where valid_to = {{ end_of_time() }}
),

final as (
    select
        durable_key('deal_party', keyed.deal_id, keyed.member_type, keyed.member_id)
            as deal_party_key,
        durable_key('deal', keyed.deal_id) as deal_key,
        keyed.deal_id,
        keyed.member_type,
        keyed.member_id,
        keyed.role,
        keyed.is_primary,
        keyed.identity_node_id,
        coalesce(bridge.customer_key, 0) as customer_key
    from keyed
    left join bridge on keyed.identity_node_id = bridge.identity_node_id
)

select * from final
