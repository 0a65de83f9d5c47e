-- grain: one row per ad and day, every report of it
{{ config(entity='ad_performance') }}

with ad_report as (
    select * from {{ source('reddit_ads', 'ad_report') }}
),

{{ reddit_performance('ad_report', 'ad') }}

select * from final
