-- grain: one row per campaign and hour, every report of it
{{ config(entity='ad_performance') }}

with campaign_report_hourly as (
    select * from {{ source('tiktok_ads', 'campaign_report_hourly') }}
),

{{ tiktok_hourly_performance('campaign_report_hourly', 'campaign', 'campaign_id') }}

select * from final
