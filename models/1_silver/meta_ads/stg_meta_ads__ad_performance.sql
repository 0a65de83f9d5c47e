-- grain: one row per ad and day, every report of it
{{ config(entity='ad_performance') }}

with basic_ad as (
    select * from {{ source('meta_ads', 'basic_ad') }}
),

-- Clicks are those that lead to the company's page. `clicks` counts likes and opened photos too: it
-- stands in only where the report lacks the other.
final as (
    select
        _raw_id,
        date as report_date,
        'meta_ads' as platform,
        account_id,
        'ad' as level,
        account_name,
        campaign_id,
        campaign_name,
        coalesce(adset_id, ad_set_id) as ad_group_id,
        adset_name as ad_group_name,
        ad_id,
        ad_name,
        impressions,
        coalesce(inline_link_clicks, clicks) as clicks,
        spend as spend_amount,
        reach,
        frequency
    from basic_ad
)

select * from final
