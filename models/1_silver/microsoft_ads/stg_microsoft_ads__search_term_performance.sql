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
        {{ segment_of([
            ['network', 'network'], ['device', 'device_type'], ['os', 'device_os'],
            ['language', 'language'], ['bid_match', 'bid_match_type'],
            ['match', 'delivered_match_type'], ['position', 'top_vs_other'],
            ['keyword', 'keyword_id'], ['search_term', 'search_query'],
        ]) }} as segment,
        impressions,
        clicks,
        spend as spend_amount,
        coalesce(conversions_qualified, conversions) as platform_conversions,
        revenue as platform_conversion_amount,
        search_query as search_term,
        keyword_id,
        network,
        device_type as device,
        device_os,
        language,
        bid_match_type,
        delivered_match_type,
        top_vs_other,
        coalesce(all_conversions_qualified, all_conversions) as all_conversions,
        all_revenue
    from search_query_performance_daily_report
)

select * from final
