-- grain: one row per advertiser (our account) and day, every report of it
{{ config(entity='ad_performance') }}

with advertiser_report as (
    select * from {{ source('pinterest_ads', 'advertiser_report') }}
),

{{ pinterest_performance('advertiser_report', 'account') }}

select * from final
