-- grain: one row per promoted tweet (our ad), day and placement, every report of it
{{ config(entity='ad_performance') }}

with promoted_tweet_report as (
    select * from {{ source('x_ads', 'promoted_tweet_report') }}
),

{{ x_performance('promoted_tweet_report', 'ad', 'promoted_tweet_id as ad_id') }}

select * from final
