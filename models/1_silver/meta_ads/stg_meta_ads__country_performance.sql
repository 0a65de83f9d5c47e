-- grain: one row per account, country and day, every report of it
{{ config(entity='ad_performance') }}

with demographics_country as (
    select * from {{ source('meta_ads', 'demographics_country') }}
),

{{ meta_geo_performance('demographics_country', 'country') }}

select * from final
