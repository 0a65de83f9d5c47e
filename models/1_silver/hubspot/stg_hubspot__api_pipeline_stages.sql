-- grain: one row per stage of a deal pipeline
-- It promises no entity: it says what the stages of deals mean.
{{ config(materialized='table', rows='many') }}

with {{ hubspot_api_stages() }},

final as (
    select
        _raw_id,
        stage_id,
        pipeline_id,
        pipeline_name,
        stage_name,
        is_closed,
        is_won,
        probability,
        display_order
    from stage_meaning
)

select * from final
