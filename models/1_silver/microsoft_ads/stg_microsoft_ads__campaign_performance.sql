-- grain: one row per campaign, day, network, device, match type and budget, every report of it
{{ config(entity='ad_performance') }}

with campaign_performance_daily_report as (
    select * from {{ source('microsoft_ads', 'campaign_performance_daily_report') }}
),

-- Conversions are the qualified ones; the older column stands in only where a report lacks them.
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
        {{ segment_of([
            ['network', 'network'], ['device', 'device_type'], ['os', 'device_os'],
            ['distribution', 'ad_distribution'], ['bid_match', 'bid_match_type'],
            ['match', 'delivered_match_type'], ['position', 'top_vs_other'],
            ['budget', 'budget_name'],
        ]) }} as segment,
        impressions,
        clicks,
        spend as spend_amount,
        currency_code,
        coalesce(conversions_qualified, conversions) as platform_conversions,
        revenue as platform_conversion_amount,
        network,
        device_type as device,
        device_os,
        ad_distribution,
        bid_match_type,
        delivered_match_type,
        top_vs_other,
        budget_name,
        budget_association_status,
        budget_status,
        coalesce(all_conversions_qualified, all_conversions) as all_conversions,
        all_revenue
    from campaign_performance_daily_report
)

select * from final
