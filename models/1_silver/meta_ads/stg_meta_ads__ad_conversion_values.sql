-- grain: one row per ad, day, action and attribution window, every report of it
{{ config(entity='ad_conversion', rows='many') }}

with basic_ad_action_values as (
    select * from {{ source('meta_ads', 'basic_ad_action_values') }}
),

{{ meta_conversions('basic_ad_action_values', 'conversion_amount') }}

select * from final
