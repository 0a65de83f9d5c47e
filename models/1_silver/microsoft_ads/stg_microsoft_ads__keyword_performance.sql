-- grain: one row per keyword, ad, day, network, device, language and match type, every report of it
{{ config(entity='ad_performance') }}

with keyword_performance_daily_report as (
    select * from {{ source('microsoft_ads', 'keyword_performance_daily_report') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'microsoft_ads' as platform,
        account_id,
        'keyword' as level,
        campaign_id,
        ad_group_id,
        ad_id,
        {{ microsoft_segment([['keyword', 'keyword_id']]) }} as segment,
        {{ microsoft_figures() }},
        keyword_id,
        {{ microsoft_delivery_columns() }},
        coalesce(all_conversions_qualified, all_conversions) as all_conversions,
        all_revenue
    from keyword_performance_daily_report
)

select * from final
