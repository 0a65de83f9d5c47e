-- grain: one row per campaign, country and day, every report of it
{{ config(entity='ad_performance') }}

with campaign_country_report as (
    select * from {{ source('tiktok_ads', 'campaign_country_report') }}
),

-- `-` is TikTok's word for a figure that there is none of.
final as (
    select
        _raw_id,
        stat_time_day as report_date,
        'tiktok_ads' as platform,
        'geo' as level,
        campaign_id,
        {{ segment_of([['country', 'country_code']]) }} as segment,
        impressions,
        clicks,
        spend as spend_amount,
        nullif(conversion, '-') as platform_conversions,
        country_code,
        real_time_conversion
    from campaign_country_report
)

select * from final
