-- grain: one row per campaign and hour, every report of it
{{ config(entity='ad_performance') }}

with campaign_hourly_report as (
    select * from {{ source('snapchat_ads', 'campaign_hourly_report') }}
),

{{ snapchat_hourly_performance('campaign_hourly_report', 'campaign', 'campaign_id') }}

select * from final
