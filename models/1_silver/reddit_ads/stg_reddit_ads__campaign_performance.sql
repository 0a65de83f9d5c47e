-- grain: one row per campaign and day, every report of it
{{ config(entity='ad_performance') }}

with campaign_report as (
    select * from {{ source('reddit_ads', 'campaign_report') }}
),

-- Conversions stand in reports of their own, by event and attribution window.
final as (
    select
        _raw_id,
        date as report_date,
        'reddit_ads' as platform,
        account_id,
        'campaign' as level,
        campaign_id,
        {{ segment_of([['region', 'region'], ['gallery_item', 'gallery_item_id']]) }} as segment,
        impressions,
        clicks,
        {{ amount_of_micros('spend') }} as spend_amount,
        region,
        viewable_impressions,
        comments_page_views,
        video_started,
        video_watched_100_percent as video_completed,
        app_install_metrics_install as app_installs,
        app_install_metrics_purchase as app_purchases
    from campaign_report
)

select * from final
