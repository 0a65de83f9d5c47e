-- grain: one row per search term, keyword, ad, day, network, device, match type, every report of it
{{ config(entity='ad_performance') }}

with search_query_performance_daily_report as (
    select * from {{ source('microsoft_ads', 'search_query_performance_daily_report') }}
),

-- Conversions are the qualified ones; the older column stands in only where a report lacks them.
-- The report names no currency: it is that of the account.
final as (
    select
        _raw_id,
        date as report_date,
        'microsoft_ads' as platform,
        account_id,
        'search_term' as level,
        campaign_id,
        ad_group_id,
        ad_id,
        {{ microsoft_segment(
            [['keyword', 'keyword_id'], ['search_term', 'search_query']],
            without=['ad_distribution']
        ) }} as segment,
        impressions,
        clicks,
        spend as spend_amount,
        coalesce(conversions_qualified, conversions) as platform_conversions,
        revenue as platform_conversion_amount,
        search_query as search_term,
        keyword_id,
        {{ microsoft_delivery_columns(without=['ad_distribution']) }},
        coalesce(all_conversions_qualified, all_conversions) as all_conversions,
        all_revenue
    from search_query_performance_daily_report
)

select * from final
