-- grain: one row per deal pipeline
-- It promises no entity: it names what deals refer to.
{{ config(materialized='table', rows='one') }}

with deal_pipeline as (
    select * from {{ source('hubspot', 'deal_pipeline') }}
),

final as (
    select
        _raw_id,
        pipeline_id,
        label as pipeline_name,
        active as is_active,
        display_order,
        created_at,
        updated_at,
        _fivetran_deleted as is_deleted
    from deal_pipeline
)

select * from final
