-- grain: one row per ad group and day, every report of it
{{ config(entity='ad_performance') }}

with ad_group_level_report as (
    select * from {{ source('amazon_ads', 'ad_group_level_report') }}
),

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
        {{ amazon_purchases() }},
        campaign_bidding_strategy as bidding_strategy,
        {{ amazon_windows() }}
    from ad_group_level_report
)

select * from final
