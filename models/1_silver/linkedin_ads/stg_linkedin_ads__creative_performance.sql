-- grain: one row per creative (our ad) and day, every report of it
{{ config(entity='ad_performance') }}

with ad_analytics_by_creative as (
    select * from {{ source('linkedin_ads', 'ad_analytics_by_creative') }}
),

{{ linkedin_performance('ad_analytics_by_creative', 'ad', 'creative_id') }}

select * from final
