-- grain: one row per account, day, event and attribution window, every report of it
{{ config(entity='ad_conversion', rows='many') }}

with account_conversions_report as (
    select * from {{ source('reddit_ads', 'account_conversions_report') }}
),

{{ reddit_conversions('account_conversions_report', 'account') }}

select * from final
