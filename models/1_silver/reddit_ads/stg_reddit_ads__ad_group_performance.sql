-- grain: one row per ad group and day, every report of it
{{ config(entity='ad_performance') }}

with ad_group_report as (
    select * from {{ source('reddit_ads', 'ad_group_report') }}
),

-- Conversions stand in reports of their own, by event and attribution window.
final as (
    select
        _raw_id,
        date as report_date,
        'reddit_ads' as platform,
        account_id,
        'ad_group' as level,
        ad_group_id,
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
    from ad_group_report
)

select * from final
