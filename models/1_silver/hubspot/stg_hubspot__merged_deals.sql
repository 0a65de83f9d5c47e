-- grain: one row per pair of merged deals
-- It promises no entity: deals are no identifiers of people. Ids are prefixed as in `deal`.
{{ config(materialized='table', rows='one') }}

with merged_deal as (
    select * from {{ source('hubspot', 'merged_deal') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || deal_id as deal_id,
        '{{ source_name }}:' || merged_deal_id as merged_deal_id,
        _fivetran_synced as synced_at
    from merged_deal
)

select * from final
