-- grain: one row per ad group and day, every report of it
{{ config(entity='ad_performance') }}

with ad_group_level_report as (
    select * from {{ source('amazon_ads', 'ad_group_level_report') }}
),

-- Purchases and sales within 30 days of the click; where the report lacks those, the longest window
-- that it has.
final as (
    select
        _raw_id,
        date as report_date,
        'amazon_ads' as platform,
        'ad_group' as level,
        ad_group_id,
        impressions,
        clicks,
        cost as spend_amount,
        coalesce(purchases_30_d, purchases_14_d, purchases_7_d, purchases_1_d)
            as platform_conversions,
        coalesce(sales_30_d, sales_14_d, sales_7_d, sales_1_d) as platform_conversion_amount,
        campaign_bidding_strategy as bidding_strategy,
        purchases_1_d,
        purchases_7_d,
        purchases_14_d,
        sales_1_d,
        sales_7_d,
        sales_14_d
    from ad_group_level_report
)

select * from final
