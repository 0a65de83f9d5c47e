-- grain: one row per ad group, day, network, device, language and match type, every report of it
{{ config(entity='ad_performance') }}

with ad_group_performance_daily_report as (
    select * from {{ source('microsoft_ads', 'ad_group_performance_daily_report') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'microsoft_ads' as platform,
        account_id,
        'ad_group' as level,
        campaign_id,
        ad_group_id,
        {{ microsoft_segment() }} as segment,
        {{ microsoft_figures() }},
        {{ microsoft_delivery_columns() }},
        coalesce(all_conversions_qualified, all_conversions) as all_conversions,
        all_revenue
    from ad_group_performance_daily_report
)

select * from final
