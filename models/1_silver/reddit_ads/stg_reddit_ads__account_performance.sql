-- grain: one row per account and day, every report of it
{{ config(entity='ad_performance') }}

with account_report as (
    select * from {{ source('reddit_ads', 'account_report') }}
),

{{ reddit_performance('account_report', 'account') }}

select * from final
