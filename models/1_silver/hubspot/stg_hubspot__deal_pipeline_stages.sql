-- grain: one row per stage of a deal pipeline
-- It promises no entity: it says what the stages of deals mean.
{{ config(materialized='table', rows='one') }}

with deal_pipeline_stage as (
    select * from {{ source('hubspot', 'deal_pipeline_stage') }}
),

final as (
    select
        _raw_id,
        stage_id,
        pipeline_id,
        label as stage_name,
        is_closed,
        closed_won as is_won,
        probability,
        active as is_active,
        display_order,
        created_at,
        updated_at,
        _fivetran_deleted as is_deleted
    from deal_pipeline_stage
)

select * from final
