-- grain: one row per ad group and hour, every report of it
{{ config(entity='ad_performance') }}

with adgroup_report_hourly as (
    select * from {{ source('tiktok_ads', 'adgroup_report_hourly') }}
),

{{ tiktok_hourly_performance('adgroup_report_hourly', 'ad_group', 'adgroup_id') }}

select * from final
