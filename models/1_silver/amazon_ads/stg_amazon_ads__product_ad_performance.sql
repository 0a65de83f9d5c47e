-- grain: one row per product ad (our ad) and day, every report of it
{{ config(entity='ad_performance') }}

with advertised_product_report as (
    select * from {{ source('amazon_ads', 'advertised_product_report') }}
),

-- Purchases and sales within 30 days of the click; where the report lacks those, the longest window
-- that it has.
final as (
    select
        _raw_id,
        date as report_date,
        'amazon_ads' as platform,
        'ad' as level,
        campaign_id,
        ad_group_id,
        ad_id,
        impressions,
        clicks,
        cost as spend_amount,
        campaign_budget_currency_code as currency_code,
        coalesce(purchases_30_d, purchases_14_d, purchases_7_d, purchases_1_d)
            as platform_conversions,
        coalesce(sales_30_d, sales_14_d, sales_7_d, sales_1_d) as platform_conversion_amount,
        advertised_asin as asin,
        advertised_sku as sku,
        purchases_1_d,
        purchases_7_d,
        purchases_14_d,
        sales_1_d,
        sales_7_d,
        sales_14_d
    from advertised_product_report
)

select * from final
