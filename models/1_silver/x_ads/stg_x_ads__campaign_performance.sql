-- grain: one row per campaign, day and placement, every report of it
{{ config(entity='ad_performance') }}

with campaign_report as (
    select * from {{ source('x_ads', 'campaign_report') }}
),

{{ x_performance('campaign_report', 'campaign', 'campaign_id') }}

select * from final
