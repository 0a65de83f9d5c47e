-- grain: one row per campaign, region and day, every report of it
{{ config(entity='ad_performance') }}

with campaign_geo_region_daily_report as (
    select * from {{ source('snapchat_ads', 'campaign_geo_region_daily_report') }}
),

{{ snapchat_geo_performance('campaign_geo_region_daily_report', 'region') }}

select * from final
