-- grain: one row per campaign and day, every report of it
{{ config(entity='ad_performance') }}

with campaign_level_report as (
    select * from {{ source('amazon_ads', 'campaign_level_report') }}
),

-- Purchases and sales within 30 days of the click; where the report lacks those, the longest window
-- that it has.
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
        coalesce(purchases_30_d, purchases_14_d, purchases_7_d, purchases_1_d)
            as platform_conversions,
        coalesce(sales_30_d, sales_14_d, sales_7_d, sales_1_d) as platform_conversion_amount,
        campaign_budget_amount as campaign_budget,
        campaign_bidding_strategy as bidding_strategy,
        purchases_1_d,
        purchases_7_d,
        purchases_14_d,
        sales_1_d,
        sales_7_d,
        sales_14_d
    from campaign_level_report
)

select * from final
