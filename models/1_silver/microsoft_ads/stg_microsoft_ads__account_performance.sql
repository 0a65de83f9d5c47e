-- grain: one row per account, day, network, device and match type, every report of it
{{ config(entity='ad_performance') }}

with account_performance_daily_report as (
    select * from {{ source('microsoft_ads', 'account_performance_daily_report') }}
),

-- Conversions are the qualified ones; the older column stands in only where a report lacks them.
final as (
    select
        _raw_id,
        date as report_date,
        'microsoft_ads' as platform,
        account_id,
        'account' as level,
        {{ segment_of([
            ['network', 'network'], ['device', 'device_type'], ['os', 'device_os'],
            ['distribution', 'ad_distribution'], ['bid_match', 'bid_match_type'],
            ['match', 'delivered_match_type'], ['position', 'top_vs_other'],
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
        all_conversions_qualified as all_conversions
    from account_performance_daily_report
)

select * from final
