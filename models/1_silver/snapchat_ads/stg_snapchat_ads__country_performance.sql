-- grain: one row per campaign, country and day, every report of it
{{ config(entity='ad_performance') }}

with campaign_geo_country_daily_report as (
    select * from {{ source('snapchat_ads', 'campaign_geo_country_daily_report') }}
),

final as (
    select
        _raw_id,
        left(date, 10) as report_date,
        'snapchat_ads' as platform,
        'geo' as level,
        campaign_id,
        {{ segment_of([['country', 'country']]) }} as segment,
        {{ whole('impressions') }} as impressions,
        {{ whole('swipes') }} as clicks,
        {{ amount_of_micros('spend') }} as spend_amount,
        conversion_purchases as platform_conversions,
        {{ amount_of_micros('conversion_purchases_value') }} as platform_conversion_amount,
        country,
        video_views,
        view_completion,
        screen_time_millis,
        shares,
        saves
    from campaign_geo_country_daily_report
)

select * from final
