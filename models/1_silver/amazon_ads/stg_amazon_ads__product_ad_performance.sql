-- grain: one row per product ad (our ad) and day, every report of it
{{ config(entity='ad_performance') }}

with advertised_product_report as (
    select * from {{ source('amazon_ads', 'advertised_product_report') }}
),

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
        {{ amazon_purchases() }},
        advertised_asin as asin,
        advertised_sku as sku,
        {{ amazon_windows() }}
    from advertised_product_report
)

select * from final
