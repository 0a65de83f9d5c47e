-- grain: one row per search term, keyword and day, every report of it
{{ config(entity='ad_performance') }}

with search_term_ad_keyword_report as (
    select * from {{ source('amazon_ads', 'search_term_ad_keyword_report') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'amazon_ads' as platform,
        'search_term' as level,
        campaign_id,
        ad_group_id,
        {{ segment_of([['keyword', 'keyword_id'], ['search_term', 'search_term']]) }} as segment,
        impressions,
        clicks,
        cost as spend_amount,
        campaign_budget_currency_code as currency_code,
        {{ amazon_purchases() }},
        search_term,
        keyword_id,
        targeting as keyword_text,
        keyword_bid as bid,
        {{ amazon_windows() }}
    from search_term_ad_keyword_report
)

select * from final
