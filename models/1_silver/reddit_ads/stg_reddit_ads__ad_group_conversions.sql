-- grain: one row per ad group, day, event and attribution window, every report of it
{{ config(entity='ad_conversion', rows='many') }}

with ad_group_conversions_report as (
    select * from {{ source('reddit_ads', 'ad_group_conversions_report') }}
),

{{ reddit_conversions('ad_group_conversions_report', 'ad_group') }}

select * from final
