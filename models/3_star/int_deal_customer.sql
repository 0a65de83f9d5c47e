-- grain: one row per deal, with the customer it is told of
{{ config(materialized='table') }}

with deal_contact as (
    select
        deal_id,
        contact_id,
        row_number() over (
            partition by deal_id order by coalesce(is_primary, false) desc, contact_id
        ) as place
    from {{ entity('deal_contact') }}
),

final as (
    select
        durable_key('deal', deal_id) as deal_key,
        coalesce({{ node_key('contact', 'contact_id') }}, 0) as identity_node_id
    from deal_contact
    where place = 1
)

select * from final
