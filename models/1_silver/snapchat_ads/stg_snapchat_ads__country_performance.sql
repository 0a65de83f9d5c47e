-- grain: one row per campaign, country and day, every report of it
{{ config(entity='ad_performance') }}

with campaign_geo_country_daily_report as (
    select * from {{ source('snapchat_ads', 'campaign_geo_country_daily_report') }}
),

{{ snapchat_geo_performance('campaign_geo_country_daily_report', 'country') }}

select * from final
