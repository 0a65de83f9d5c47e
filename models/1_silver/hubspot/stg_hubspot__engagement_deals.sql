-- grain: one row per activity and deal
-- It promises no entity: an activity may be with several. Ids are prefixed as in `activity`.
{{ config(materialized='table', rows='one') }}

with engagement_deal as (
    select * from {{ source('hubspot', 'engagement_deal') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || engagement_id as activity_id,
        '{{ source_name }}:' || deal_id as deal_id,
        engagement_type as activity_type,
        type_id,
        category
    from engagement_deal
)

select * from final
