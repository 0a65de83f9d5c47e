-- grain: one row per platform, day, member, action, window and time of report
{{ config(materialized='table', sort=['report_date', 'platform']) }}

{%- set reporting = project.reporting.currency %}

-- What platforms claim stands apart: it is never added across platforms, and never to conversions.
with ad_conversion as (
    select
        *,
        coalesce(reported_at, effective_at, {{ beginning() }}) as known_at
    from {{ entity('ad_conversion') }}
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
                platform, account_id, report_date, campaign_id, ad_group_id, ad_id, action,
                attribution_window, date_basis
            order by known_at
        ) as superseded_at
    from ad_conversion
    left join account
        on {{ own_member_key('account', 'ad_conversion.') }}
            = account.account_member_key
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
        {{ own_member_key('campaign') }}
            as campaign_key,
        {{ own_member_key('ad_group') }}
            as ad_group_key,
        {{ own_member_key('ad') }}
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
