-- grain: one row per ad group and day, every report of it
{{ config(entity='ad_performance') }}

with ad_group_report as (
    select * from {{ source('reddit_ads', 'ad_group_report') }}
),

{{ reddit_performance('ad_group_report', 'ad_group') }}

select * from final
