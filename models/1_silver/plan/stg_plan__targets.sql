-- grain: one row per scope, period and measure of a plan
{{ config(entity='target') }}

with targets as (
    select * from {{ source('plan', 'targets') }}
),

final as (
    select
        _raw_id,
        coalesce(plan_name, plan) as plan_name,
        coalesce(plan_version, version) as plan_version,
        {{ plan_metric('coalesce(measure, metric)') }} as metric,
        coalesce(
            period_start, start_date, {{ plan_period_start('coalesce(period, month)') }}
        ) as period_start,
        coalesce(
            period_end, end_date, {{ plan_period_end('coalesce(period, month)') }}
        ) as period_end,
        platform,
        account_id,
        channel,
        market,
        campaign_id,
        coalesce(campaign_name, campaign) as campaign_name,
        coalesce(amount, budget, target) as amount,
        coalesce(currency_code, currency) as currency_code
    from targets
)

select * from final
