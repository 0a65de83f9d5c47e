-- grain: one row per ad, day, event and attribution window, every report of it
{{ config(entity='ad_conversion', rows='many') }}

with ad_conversions_report as (
    select * from {{ source('reddit_ads', 'ad_conversions_report') }}
),

{{ reddit_conversions('ad_conversions_report', 'ad') }}

select * from final
