-- grain: one row per ad account, report day, level, member, segment and time of report
{{ config(materialized='table', sort=['report_date', 'platform', 'campaign_key']) }}


with ad_performance as (
    select * from {{ ref('int_ad_performance') }}
),

-- Currency and zone belong to the account: where the report does not say them, its structure does.
account as (
    select
        account_member_key,
        max(currency_code) as currency_code,
        max(account_zone) as account_zone
    from {{ ref('dim_campaign') }}
    where is_current and campaign_key not in (0, -1)
    group by account_member_key
),

campaign_channel as (
    select campaign_key, channel_key from {{ ref('int_campaign_channel') }}
),

exchange_rate as (
    select rate_date, currency_code, exchange_rate, exchange_rate_date
    from {{ ref('int_exchange_rate_day') }}
),

keyed as (
    select
        *,
        {{ campaign_member_key('account', 'platform', 'account_id') }} as account_member_key,
        case
            when level = 'account' then -1
            when campaign_id is null
                then {{ campaign_residual_key('campaign') }}
            else {{ campaign_member_key('campaign', 'platform', 'campaign_id') }}
        end as campaign_key,
        case
            when level in ('account', 'campaign') then -1
            when level = 'ad_group' and record_kind <> 'reported'
                then {{ campaign_residual_key('ad_group') }}
            else {{ campaign_member_key('ad_group', 'platform', 'ad_group_id') }}
        end as ad_group_key,
        case
            when level <> 'ad' then -1
            when record_kind <> 'reported'
                then {{ campaign_residual_key('ad') }}
            else {{ campaign_member_key('ad', 'platform', 'ad_id') }}
        end as ad_key
    from ad_performance
),

with_currency as (
    select
        keyed.*,
        coalesce(upper(keyed.currency_code), upper(account.currency_code)) as account_currency_code,
        coalesce(
            keyed.account_zone, account.account_zone, {{ zone_of_source('keyed.source_name') }}
        ) as zone_of_account
    from keyed
    left join account on keyed.account_member_key = account.account_member_key
),

with_rate as (
    select
        with_currency.*,
        {{ rate_and_date('with_currency.account_currency_code', 'with_currency.report_date') }}
    from with_currency
    left join exchange_rate
        on
            with_currency.account_currency_code = exchange_rate.currency_code
            and with_currency.report_date = exchange_rate.rate_date
),

final as (
    select
        durable_key(
            'ad_performance', with_rate.platform, with_rate.account_id,
            cast(with_rate.report_date as text), with_rate.level, with_rate.gap_of,
            with_rate.campaign_id, with_rate.ad_group_id, with_rate.ad_id, with_rate.segment,
            cast(with_rate.reported_at as text)
        ) as ad_performance_id,
        with_rate.report_date,
        with_rate.reported_at,
        with_rate.superseded_at,
        {{ source_account_key('with_rate.platform', 'with_rate.account_id') }}
            as source_account_key,
        with_rate.campaign_key,
        with_rate.ad_group_key,
        with_rate.ad_key,
        case
            when with_rate.level = 'account' then -1
            else coalesce(
                campaign_channel.channel_key,
                {{ channel_key(channel_of_platform('with_rate.platform', "''")) }}
            )
        end as channel_key,
        with_rate.platform,
        with_rate.account_id,
        with_rate.zone_of_account as account_zone,
        with_rate.level,
        with_rate.record_kind,
        with_rate.segment,
        with_rate.source_name,
        with_rate.impressions,
        with_rate.clicks,
        with_rate.spend_amount,
        with_rate.account_currency_code as currency_code,
        with_rate.exchange_rate,
        with_rate.exchange_rate_date,
        {{ reporting_amount('with_rate.spend_amount', 'with_rate.exchange_rate') }}
            as spend_reporting_amount,
        with_rate.platform_conversions,
        with_rate.platform_conversion_amount,
        {{ reporting_amount('with_rate.platform_conversion_amount', 'with_rate.exchange_rate') }}
            as platform_conversion_reporting_amount,
        with_rate.is_current,
        with_rate.is_in_hierarchy,
        with_rate.level = 'campaign' as is_spend_of_record,
        with_rate.spend_amount <> 0 and with_rate.exchange_rate is null as is_partial
    from with_rate
    left join campaign_channel on with_rate.campaign_key = campaign_channel.campaign_key
)

select * from final
