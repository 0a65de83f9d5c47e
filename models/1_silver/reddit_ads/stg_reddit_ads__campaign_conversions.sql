-- grain: one row per campaign, day, event and attribution window, every report of it
{{ config(entity='ad_conversion', rows='many') }}

with campaign_conversions_report as (
    select * from {{ source('reddit_ads', 'campaign_conversions_report') }}
),

{{ reddit_conversions('campaign_conversions_report', 'campaign') }}

select * from final
