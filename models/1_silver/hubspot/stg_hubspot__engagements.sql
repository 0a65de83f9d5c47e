-- grain: one row per activity
-- It promises no entity: it has no time; calls, meetings and the others have their own tables.
{{ config(materialized='table', rows='one') }}

with engagement as (
    select * from {{ source('hubspot', 'engagement') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || id as activity_id,
        lower(type) as activity_type
    from engagement
)

select * from final
