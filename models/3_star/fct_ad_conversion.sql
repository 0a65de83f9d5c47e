-- grain: one row per platform, day, member, action, window and time of report
{{ config(materialized='table', sort=['report_date', 'platform']) }}

{%- set reporting = project.reporting.currency %}

-- What platforms claim stands apart: it is never added across platforms, and never to conversions.
with reported as (
    select *, coalesce(reported_at, effective_at, {{ beginning() }}) as known_at
    from {{ entity('ad_conversion') }}
),

-- Counts and values of one claim may come from two reports.
claimed as (
    select
        platform,
        report_date,
        known_at,
        account_id,
        campaign_id,
        ad_group_id,
        ad_id,
        action,
        attribution_window,
        date_basis,
        case
            when ad_id is not null then 'ad'
            when ad_group_id is not null then 'ad_group'
            else 'campaign'
        end as named_level,
        min(source_name) as source_name,
        max(conversions) as conversions,
        max(conversion_amount) as conversion_amount,
        max(currency_code) as currency_code
    from reported
    group by
        platform, report_date, known_at, account_id, campaign_id, ad_group_id, ad_id, action,
        attribution_window, date_basis
),

-- What the report does not say of the hierarchy, the structure does.
member as (
    select
        level as member_level,
        platform as member_platform,
        member_id,
        account_id as member_account_id,
        campaign_id as member_campaign_id,
        ad_group_id as member_ad_group_id
    from {{ ref('int_campaign_member') }}
),

ad_conversion as (
    select
        claimed.platform,
        claimed.report_date,
        claimed.known_at,
        coalesce(claimed.account_id, member.member_account_id) as account_id,
        coalesce(claimed.campaign_id, member.member_campaign_id) as campaign_id,
        coalesce(claimed.ad_group_id, member.member_ad_group_id) as ad_group_id,
        claimed.ad_id,
        claimed.action,
        claimed.attribution_window,
        claimed.date_basis,
        claimed.source_name,
        claimed.conversions,
        claimed.conversion_amount,
        claimed.currency_code
    from claimed
    left join member
        on
            claimed.platform = member.member_platform
            and claimed.named_level = member.member_level
            and coalesce(claimed.ad_id, claimed.ad_group_id, claimed.campaign_id) = member.member_id
),

account as (
    select account_member_key, max(currency_code) as currency_code
    from {{ ref('dim_campaign') }}
    where is_current and campaign_key not in (0, -1)
    group by account_member_key
),

exchange_rate as (
    select rate_date, currency_code, exchange_rate, exchange_rate_date
    from {{ ref('int_exchange_rate_day') }}
),

with_currency as (
    select
        ad_conversion.*,
        upper(coalesce(ad_conversion.currency_code, account.currency_code))
            as account_currency_code,
        lead(known_at) over (
            partition by
                platform, ad_conversion.account_id, report_date, campaign_id, ad_group_id,
                ad_id, action,
                attribution_window, date_basis
            order by known_at
        ) as superseded_at
    from ad_conversion
    left join account
        on
            {{ campaign_member_key('account', 'ad_conversion.platform',
                'ad_conversion.account_id') }} = account.account_member_key
),

with_rate as (
    select
        with_currency.*,
        case
            when with_currency.account_currency_code = '{{ reporting }}'
                then cast(1 as decimal(18, 8))
            else exchange_rate.exchange_rate
        end as exchange_rate,
        case
            when with_currency.account_currency_code = '{{ reporting }}'
                then with_currency.report_date
            else exchange_rate.exchange_rate_date
        end as exchange_rate_date
    from with_currency
    left join exchange_rate
        on
            with_currency.account_currency_code = exchange_rate.currency_code
            and with_currency.report_date = exchange_rate.rate_date
),

final as (
    select
        durable_key(
            'ad_conversion', platform, account_id, cast(report_date as text), campaign_id,
            ad_group_id, ad_id, action, attribution_window, date_basis, cast(known_at as text)
        ) as ad_conversion_id,
        report_date,
        known_at as reported_at,
        superseded_at,
        {{ source_account_key('platform', 'account_id') }} as source_account_key,
        {{ campaign_member_key('campaign', 'platform', 'campaign_id') }}
            as campaign_key,
        {{ campaign_member_key('ad_group', 'platform', 'ad_group_id') }}
            as ad_group_key,
        {{ campaign_member_key('ad', 'platform', 'ad_id') }}
            as ad_key,
        platform,
        account_id,
        action,
        attribution_window,
        date_basis,
        source_name,
        conversions as platform_conversions,
        conversion_amount as platform_conversion_amount,
        account_currency_code as currency_code,
        exchange_rate,
        exchange_rate_date,
        {{ reporting_amount('conversion_amount', 'exchange_rate') }}
            as platform_conversion_reporting_amount,
        superseded_at is null as is_current
    from with_rate
)

select * from final
