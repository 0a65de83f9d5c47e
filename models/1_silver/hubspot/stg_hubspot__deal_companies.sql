-- grain: one row per deal, company and kind of association
-- It promises no entity: the deal itself names its first company. Ids are prefixed as in `deal`.
{{ config(materialized='table', rows='one') }}

with deal_company as (
    select * from {{ source('hubspot', 'deal_company') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || deal_id as deal_id,
        '{{ source_name }}:' || company_id as account_id,
        coalesce(label, type_id) as role,
        category as role_category,
        _fivetran_synced as synced_at
    from deal_company
)

select * from final
