-- grain: one row per campaign and day, every report of it
{{ config(entity='ad_performance') }}

with campaign_report as (
    select * from {{ source('reddit_ads', 'campaign_report') }}
),

{{ reddit_performance('campaign_report', 'campaign') }}

select * from final
