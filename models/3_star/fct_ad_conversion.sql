-- grain: one row per platform, day, member, segment, action, window, date basis and time of report
{{ config(materialized='table', sort=['report_date', 'platform']) }}


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
            when campaign_id is not null then 'campaign'
            else 'account'
        end as level,
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

stated as (
    select
        claimed.platform,
        claimed.report_date,
        claimed.known_at,
        lead(claimed.known_at) over (
            partition by
                claimed.platform, coalesce(claimed.account_id, member.member_account_id),
                claimed.report_date, coalesce(claimed.campaign_id, member.member_campaign_id),
                coalesce(claimed.ad_group_id, member.member_ad_group_id), claimed.ad_id,
                claimed.action, claimed.attribution_window, claimed.date_basis
            order by claimed.known_at
        ) as superseded_at,
        coalesce(claimed.account_id, member.member_account_id) as account_id,
        coalesce(claimed.campaign_id, member.member_campaign_id) as campaign_id,
        coalesce(claimed.ad_group_id, member.member_ad_group_id) as ad_group_id,
        claimed.ad_id,
        claimed.level,
        cast(null as bigint) as level_of_record,
        cast(null as text) as segment,
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
            and claimed.level = member.member_level
            and coalesce(claimed.ad_id, claimed.ad_group_id, claimed.campaign_id) = member.member_id
),

-- Platforms that tell no actions state conversions beside their spend: one kind, in their window.
-- A level that is reported without any is the level of record all the same.
beside_spend as (
    select
        *,
        min({{ claim_level_place('level') }}) over (
            partition by platform, account_id, report_date
        ) as level_of_record
    from {{ ref('int_ad_performance') }}
    where is_in_hierarchy and record_kind = 'reported'
),

without_actions as (
    select
        platform,
        report_date,
        reported_at as known_at,
        superseded_at,
        account_id,
        campaign_id,
        ad_group_id,
        ad_id,
        level,
        level_of_record,
        segment,
        'conversions' as action,
        'default' as attribution_window,
        cast(null as text) as date_basis,
        source_name,
        platform_conversions as conversions,
        platform_conversion_amount as conversion_amount,
        currency_code
    from beside_spend
    where platform_conversions <> 0 or platform_conversion_amount <> 0
),

ad_conversion as (
    select * from stated

    union all

    select without_actions.*
    from without_actions
    left anti join stated on without_actions.platform = stated.platform
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
            as account_currency_code
    from ad_conversion
    left join account
        on
            {{ campaign_member_key('account', 'ad_conversion.platform',
                'ad_conversion.account_id') }} = account.account_member_key
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

action_tier as (
    select
        platform as tier_platform,
        action as tier_action,
        conversion_group,
        cast(tier as bigint) as action_tier
    from {{ ref('ad_action_tier') }}
),

-- One claim is reported at several levels, in several windows, by several dates and under several
-- names of the action: of each of them one is taken, so that the rest can be added up.
tiered as (
    select
        with_rate.*,
        superseded_at is null as is_current,
        superseded_at is null and (conversions is not null or conversion_amount is not null)
            as is_countable,
        coalesce(action_tier.conversion_group, with_rate.action) as conversion_group,
        action_tier.action_tier,
        {{ claim_level_place('level') }} as level_place,
        -- The account's own window first, then those that platforms set by themselves.
        case coalesce(attribution_window, 'default')
            when 'default' then '1'
            when '7d_click_1d_view' then '2'
            when '7d_click' then '3'
            when '28d_click' then '4'
            when '30d_click' then '5'
            when '14d_click' then '6'
            when '1d_click' then '7'
            else '8' || attribution_window
        end as window_place,
        case coalesce(date_basis, 'none')
            when 'none' then 1 when 'click' then 2 when 'mixed' then 3 when 'impression' then 4
            else 5
        end as basis_place
    from with_rate
    left join action_tier
        on
            with_rate.platform = action_tier.tier_platform
            and with_rate.action = action_tier.tier_action
),

-- Rows that name no account may be of any: they count where no account has rows of its own.
at_level as (
    select
        *,
        is_countable
        and level_place = coalesce(
            level_of_record,
            min(case when is_countable then level_place end) over (
                partition by platform, account_id, report_date
            )
        )
        and (
            account_id is not null
            or not bool_or(is_countable and account_id is not null) over (
                partition by platform, report_date
            )
        ) as is_at_level
    from tiered
),

-- A window in which something is counted goes before one in which it is only valued.
in_window as (
    select
        *,
        is_at_level
        and window_place = coalesce(
            min(case when is_at_level and conversions is not null then window_place end)
                over account_day,
            min(case when is_at_level then window_place end) over account_day
        ) as is_in_window
    from at_level
    window account_day as (partition by platform, account_id, report_date)
),

by_date as (
    select
        *,
        is_in_window
        and basis_place = min(case when is_in_window then basis_place end) over (
            partition by platform, account_id, report_date
        ) as is_by_date
    from in_window
),

of_record as (
    select
        *,
        is_by_date
        and coalesce(action_tier, 0) = min(
            case when is_by_date then coalesce(action_tier, 0) end
        ) over (
            partition by
                platform, account_id, report_date, campaign_id, ad_group_id, ad_id,
                conversion_group
        ) as is_conversion_of_record
    from by_date
),

final as (
    select
        durable_key(
            'ad_conversion', platform, account_id, cast(report_date as text), campaign_id,
            ad_group_id, ad_id, segment, action, attribution_window, date_basis,
            cast(known_at as text)
        ) as ad_conversion_id,
        report_date,
        known_at as reported_at,
        superseded_at,
        {{ source_account_key('platform', 'account_id') }} as source_account_key,
        case
            when level = 'account' then -1
            else {{ campaign_member_key('campaign', 'platform', 'campaign_id') }}
        end as campaign_key,
        case
            when level in ('account', 'campaign') then -1
            else {{ campaign_member_key('ad_group', 'platform', 'ad_group_id') }}
        end as ad_group_key,
        case
            when level <> 'ad' then -1
            else {{ campaign_member_key('ad', 'platform', 'ad_id') }}
        end as ad_key,
        platform,
        account_id,
        level,
        segment,
        action,
        conversion_group,
        action_tier,
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
        is_current,
        coalesce(is_conversion_of_record, false) as is_conversion_of_record,
        coalesce(conversion_amount <> 0 and exchange_rate is null, false) as is_partial
    from of_record
)

select * from final
