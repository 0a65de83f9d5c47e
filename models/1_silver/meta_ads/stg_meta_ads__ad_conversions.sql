-- grain: one row per ad, day, action and attribution window, every report of it
{{ config(entity='ad_conversion', rows='many') }}

with basic_ad_actions as (
    select * from {{ source('meta_ads', 'basic_ad_actions') }}
),

{{ meta_conversions('basic_ad_actions', 'conversions') }}

select * from final
