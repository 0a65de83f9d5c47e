-- grain: one row per LinkedIn campaign (our ad group), member country and month, every report of it
{{ config(entity='ad_performance') }}

with monthly_ad_analytics_by_member_country as (
    select * from {{ source('linkedin_ads', 'monthly_ad_analytics_by_member_country') }}
),

{{ linkedin_geo_performance('monthly_ad_analytics_by_member_country', 'country') }}

select * from final
