-- grain: one row per kind of cohort, attribution model, level, channel and month of life
{{ config(materialized='view') }}

-- Cohorts side by side at the same age: of each month of life, only those that have lived it.
with mature as (
    select * from {{ ref('mart_ltv_cohort') }}
    where is_mature and customers > 0
),

summed as (
    select
        cohort_grain,
        model,
        is_default_model,
        level,
        channel_key,
        channel,
        months_since,
        count(*) as cohort_count,
        sum(customers) as customers,
        sum(acquisition_spend_reporting_amount) as acquisition_spend_reporting_amount,
        sum(cumulative_order_count) as cumulative_order_count,
        sum(cumulative_net_revenue_reporting_amount) as cumulative_net_revenue_reporting_amount,
        bool_or(is_partial) as is_partial
    from mature
    group by
        cohort_grain, model, is_default_model, level, channel_key, channel, months_since
),

final as (
    select
        *,
        {{ ratio('cumulative_order_count', 'customers') }} as orders_per_customer,
        {{ ratio('cumulative_net_revenue_reporting_amount', 'customers') }} as ltv,
        {{ cost_ratio('acquisition_spend_reporting_amount', 'customers') }} as cac,
        {{ ratio('cumulative_net_revenue_reporting_amount', 'acquisition_spend_reporting_amount') }}
            as ltv_to_cac
    from summed
)

select * from final
