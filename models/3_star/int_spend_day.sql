-- grain: one row per ad account's day and campaign
{{ config(materialized='table', sort=['date', 'campaign_key']) }}

-- The spend of record, converted at the rate of its own day, and whether it sought new customers.
with spend as (
    select * from {{ ref('fct_ad_performance_current') }}
    where is_spend_of_record
),

campaign as (
    select campaign_key, campaign_name
    from {{ ref('dim_campaign') }}
    where level in ('campaign', '(unknown)', '(not applicable)') and is_current
),

channel as (
    select channel_key, channel from {{ ref('dim_channel') }}
),

-- Names by which a link led somebody to the campaign, and touches that were credited to it.
visited as (
    select campaign_key from {{ ref('int_session_campaign') }}
    where not is_bot
    union
    select campaign_key from {{ ref('fct_attribution_credit') }}
),

summed as (
    select
        report_date as date,
        platform,
        account_id,
        campaign_key,
        channel_key,
        max(account_zone) as account_zone,
        cast(sum(spend_reporting_amount) as decimal(18, 6)) as spend_reporting_amount,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
        sum(case when is_partial then 1 else 0 end) as unconverted_rows
    from spend
    group by report_date, platform, account_id, campaign_key, channel_key
),

final as (
    select
        summed.date,
        summed.platform,
        summed.account_id,
        summed.account_zone,
        summed.campaign_key,
        summed.channel_key,
        coalesce(summed.spend_reporting_amount, {{ no_money() }}) as spend_reporting_amount,
        cast(coalesce(summed.impressions, 0) as bigint) as impressions,
        cast(coalesce(summed.clicks, 0) as bigint) as clicks,
        cast(summed.unconverted_rows as bigint) as unconverted_rows,
        {{ is_acquisition('channel.channel', 'campaign.campaign_name') }} as is_acquisition,
        visited.campaign_key is not null and summed.campaign_key not in (0, -1) as is_matched
    from summed
    left join campaign on summed.campaign_key = campaign.campaign_key
    left join channel on summed.channel_key = channel.channel_key
    left join visited on summed.campaign_key = visited.campaign_key
)

select * from final
