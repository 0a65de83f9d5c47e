-- grain: one row per campaign, day, network, device, match type and budget, every report of it
{{ config(entity='ad_performance') }}

with campaign_performance_daily_report as (
    select * from {{ source('microsoft_ads', 'campaign_performance_daily_report') }}
),

-- The budget's name splits a day on which the campaign changed its budget. Its status does not: it
-- is that of the report's time, and a later report of the same day must meet the row it corrects.
final as (
    select
        _raw_id,
        date as report_date,
        'microsoft_ads' as platform,
        account_id,
        'campaign' as level,
        campaign_id,
        {{ microsoft_segment([['budget', 'budget_name']], without=['language']) }} as segment,
        {{ microsoft_figures() }},
        {{ microsoft_delivery_columns(without=['language']) }},
        budget_name,
        budget_association_status,
        budget_status,
        coalesce(all_conversions_qualified, all_conversions) as all_conversions,
        all_revenue
    from campaign_performance_daily_report
)

select * from final
