-- grain: one row per stage that Salesforce opportunities can have
-- It promises no entity: it says what the stages of deals mean.
{{ config(materialized='table', rows='one') }}

with opportunity_stage as (
    select * from {{ source('salesforce', 'opportunity_stage') }}
),

final as (
    select
        _raw_id,
        -- Opportunities hold the name that is stored, which need not be the one that is shown.
        coalesce(api_name, master_label) as stage,
        master_label as stage_name,
        is_closed,
        is_won,
        default_probability as probability_percent,
        coalesce(forecast_category_name, forecast_category) as forecast_category,
        is_active,
        sort_order as display_order,
        created_date as created_at,
        last_modified_date as updated_at
    from opportunity_stage
)

select * from final
