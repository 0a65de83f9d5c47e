-- grain: one row per LinkedIn campaign (our ad group) and day, every report of it
{{ config(entity='ad_performance') }}

with ad_analytics_by_campaign as (
    select * from {{ source('linkedin_ads', 'ad_analytics_by_campaign') }}
),

{{ linkedin_performance('ad_analytics_by_campaign', 'ad_group', 'campaign_id') }}

select * from final
