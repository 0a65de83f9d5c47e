-- grain: one row per campaign and day, every report of it
{{ config(entity='ad_performance') }}

with campaign_level_report as (
    select * from {{ source('amazon_ads', 'campaign_level_report') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'amazon_ads' as platform,
        'campaign' as level,
        campaign_id,
        impressions,
        clicks,
        cost as spend_amount,
        campaign_budget_currency_code as currency_code,
        {{ amazon_purchases() }},
        campaign_budget_amount as campaign_budget,
        campaign_bidding_strategy as bidding_strategy,
        {{ amazon_windows() }}
    from campaign_level_report
)

select * from final
