-- grain: one row per version of a kind of event
-- It promises no entity: events carry its name.
{{ config(materialized='table', rows='one') }}

with metric as (
    select * from {{ source('klaviyo', 'metric') }}
),

final as (
    select
        _raw_id,
        id as metric_id,
        name as metric_name,
        integration_id,
        integration_name,
        integration_category,
        _fivetran_deleted as is_deleted
    from metric
)

select * from final
