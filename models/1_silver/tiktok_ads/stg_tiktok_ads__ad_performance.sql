-- grain: one row per ad and hour, every report of it
{{ config(entity='ad_performance') }}

with ad_report_hourly as (
    select * from {{ source('tiktok_ads', 'ad_report_hourly') }}
),

{{ tiktok_hourly_performance('ad_report_hourly', 'ad', 'ad_id') }}

select * from final
