-- grain: one row per ad and hour, every report of it
{{ config(entity='ad_performance') }}

with ad_hourly_report as (
    select * from {{ source('snapchat_ads', 'ad_hourly_report') }}
),

{{ snapchat_hourly_performance('ad_hourly_report', 'ad', 'ad_id') }}

select * from final
