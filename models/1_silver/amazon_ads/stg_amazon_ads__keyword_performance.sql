-- grain: one row per keyword and day, every report of it
{{ config(entity='ad_performance') }}

with targeting_keyword_report as (
    select * from {{ source('amazon_ads', 'targeting_keyword_report') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'amazon_ads' as platform,
        'keyword' as level,
        campaign_id,
        ad_group_id,
        {{ segment_of([['keyword', 'keyword_id']]) }} as segment,
        impressions,
        clicks,
        cost as spend_amount,
        campaign_budget_currency_code as currency_code,
        {{ amazon_purchases() }},
        keyword_id,
        targeting as keyword_text,
        match_type,
        keyword_bid as bid,
        {{ amazon_windows() }}
    from targeting_keyword_report
)

select * from final
