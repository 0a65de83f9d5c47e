-- grain: one row per campaign and day, every report of it
{{ config(entity='ad_performance') }}

with basic_campaign as (
    select * from {{ source('meta_ads', 'basic_campaign') }}
),

-- Clicks are those that lead to the company's page. `clicks` counts likes and opened photos too: it
-- stands in only where the report lacks the other.
final as (
    select
        _raw_id,
        date as report_date,
        'meta_ads' as platform,
        account_id,
        'campaign' as level,
        account_name,
        campaign_id,
        campaign_name,
        impressions,
        coalesce(inline_link_clicks, clicks) as clicks,
        spend as spend_amount,
        reach,
        frequency
    from basic_campaign
)

select * from final
