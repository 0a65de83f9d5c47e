-- grain: one row per LinkedIn campaign (our ad group), member region and month, every report of it
{{ config(entity='ad_performance') }}

with monthly_ad_analytics_by_member_region as (
    select * from {{ source('linkedin_ads', 'monthly_ad_analytics_by_member_region') }}
),

{{ linkedin_geo_performance('monthly_ad_analytics_by_member_region', 'region') }}

select * from final
