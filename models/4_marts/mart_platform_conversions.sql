-- grain: one row per ad account's day, campaign, kind of conversion and currency
{{ config(materialized='table', sort=['date', 'platform']) }}

-- What a platform claims, once: at one level, in one window, by one date, under one name of the
-- action. Kinds are never added (a lead is no sale), and platforms never.
with claim as (
    select * from {{ ref('fct_ad_conversion_current') }}
    where is_conversion_of_record
),

campaign as (
    select campaign_key, campaign_id, campaign_name
    from {{ ref('dim_campaign') }}
    where level in ('campaign', '(unknown)', '(not applicable)') and is_current
),

account as (
    select source_account_key, account_zone from {{ ref('dim_source_account') }}
),

summed as (
    select
        report_date as date,
        source_account_key,
        platform,
        account_id,
        campaign_key,
        conversion_group,
        level,
        attribution_window,
        date_basis,
        currency_code,
        min(action_tier) as action_tier,
        sum(platform_conversions) as platform_conversions,
        sum(platform_conversion_amount) as platform_conversion_amount,
        sum(platform_conversion_reporting_amount) as platform_conversion_reporting_amount,
        sum(case when is_partial then 1 else 0 end) as unconverted_rows
    from claim
    group by
        report_date, source_account_key, platform, account_id, campaign_key, conversion_group,
        level, attribution_window, date_basis, currency_code
),

final as (
    select
        summed.date,
        account.account_zone,
        summed.platform,
        summed.account_id,
        summed.campaign_key,
        campaign.campaign_id,
        campaign.campaign_name,
        summed.conversion_group,
        summed.action_tier,
        summed.level,
        summed.attribution_window,
        summed.date_basis,
        summed.platform_conversions,
        cast(summed.platform_conversion_amount as decimal(18, 6)) as platform_conversion_amount,
        summed.currency_code,
        cast(summed.platform_conversion_reporting_amount as decimal(18, 6))
            as platform_conversion_reporting_amount,
        cast(summed.unconverted_rows as bigint) as unconverted_rows,
        summed.unconverted_rows > 0 as is_partial
    from summed
    left join campaign on summed.campaign_key = campaign.campaign_key
    left join account on summed.source_account_key = account.source_account_key
)

select * from final
