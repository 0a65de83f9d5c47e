-- grain: one row per activity and contact
-- It promises no entity: an activity may be with several. Ids are prefixed as in `activity`.
{{ config(materialized='table', rows='one') }}

with engagement_contact as (
    select * from {{ source('hubspot', 'engagement_contact') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || engagement_id as activity_id,
        '{{ source_name }}:' || contact_id as contact_id,
        engagement_type as activity_type,
        type_id,
        category
    from engagement_contact
)

select * from final
