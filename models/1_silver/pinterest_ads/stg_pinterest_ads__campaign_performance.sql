-- grain: one row per campaign and day, every report of it
{{ config(entity='ad_performance') }}

with campaign_report as (
    select * from {{ source('pinterest_ads', 'campaign_report') }}
),

{{ pinterest_performance('campaign_report', 'campaign', ['campaign_id', 'campaign_name']) }}

select * from final
