-- grain: one row per activity and company
-- It promises no entity: an activity may be with several. Ids are prefixed as in `activity`.
{{ config(materialized='table', rows='one') }}

with engagement_company as (
    select * from {{ source('hubspot', 'engagement_company') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || engagement_id as activity_id,
        '{{ source_name }}:' || company_id as account_id,
        engagement_type as activity_type,
        type_id,
        category
    from engagement_company
)

select * from final
