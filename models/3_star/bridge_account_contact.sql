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

bridge as (
    select identity_node_id, customer_key from {{ ref('bridge_identity') }}
),

final as (
    select
        durable_key('account', contact.account_id) as account_key,
        bridge.customer_key,
        count(*) as contact_count,
        min(contact.first_at) as first_at
    from contact
    inner join bridge on {{ node_key('contact', 'contact.contact_id') }} = bridge.identity_node_id
    group by durable_key('account', contact.account_id), bridge.customer_key
)

select * from final
