-- grain: one row per campaign and day
{{ config(entity='ad_performance') }}
select
    _raw_id,
    day as report_date,
    platform,
    account as account_id,
    'UTC' as account_zone,
    'campaign' as level,
    campaign_id,
    campaign as campaign_name,
    impressions,
    clicks,
    spend as spend_amount,
    currency as currency_code,
    conversions as platform_conversions,
    value as platform_conversion_amount
from {{ source('ads', 'days') }}
