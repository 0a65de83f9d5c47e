-- grain: one row per account, region and day, every report of it
{{ config(entity='ad_performance') }}

with demographics_region as (
    select * from {{ source('meta_ads', 'demographics_region') }}
),

{{ meta_geo_performance('demographics_region', 'region') }}

select * from final
