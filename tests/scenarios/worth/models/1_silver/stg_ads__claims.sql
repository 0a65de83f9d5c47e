-- grain: one row per campaign, day, action and window
{{ config(entity='ad_conversion') }}
select
    _raw_id,
    day as report_date,
    platform,
    account as account_id,
    campaign_id,
    action,
    "window" as attribution_window,
    conversions,
    value as conversion_amount,
    currency as currency_code
from {{ source('ads', 'claims') }}
