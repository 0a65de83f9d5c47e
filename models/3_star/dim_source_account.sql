-- grain: one row per ad account, shop or property that figures come from
{{ config(materialized='table') }}

with stated_account as (
    select
        platform,
        account_id,
        max(account_name) as account_name,
        max(currency_code) as currency_code,
        max(account_zone) as account_zone
    from {{ ref('dim_campaign') }}
    where is_current and campaign_key not in (0, -1)
    group by platform, account_id
),

-- What the account does not say, its reports do, or the settings of their source.
reported_account as (
    select
        platform,
        account_id,
        max(currency_code) as currency_code,
        max(coalesce(account_zone, {{ zone_of_source('source_name') }})) as account_zone
    from {{ ref('int_ad_performance') }}
    group by platform, account_id
),

ad_account as (
    select
        stated_account.platform,
        stated_account.account_id,
        stated_account.account_name,
        coalesce(stated_account.currency_code, reported_account.currency_code) as currency_code,
        coalesce(stated_account.account_zone, reported_account.account_zone) as account_zone
    from stated_account
    left join reported_account
        on
            stated_account.platform = reported_account.platform
            and stated_account.account_id = reported_account.account_id
),

shop as (
    select
        source_name,
        case when min(currency_code) = max(currency_code) then min(currency_code) end
            as currency_code
    from {{ ref('fct_order') }}
    group by source_name
),

property as (
    select source_name
    from {{ ref('int_web_identity_day') }}
    group by source_name
),

final as (
    select
        {{ source_account_key('platform', 'account_id') }} as source_account_key,
        'ad account' as account_kind,
        platform,
        account_id,
        coalesce(account_name, account_id) as account_name,
        upper(currency_code) as currency_code,
        account_zone
    from ad_account
    where platform is not null

    union all

    select
        {{ source_account_key("'shop'", 'source_name') }} as source_account_key,
        'shop' as account_kind,
        'shop' as platform,
        source_name as account_id,
        source_name as account_name,
        currency_code,
        '{{ project.reporting.zone }}' as account_zone
    from shop

    union all

    select
        {{ source_account_key("'web'", 'source_name') }} as source_account_key,
        'web property' as account_kind,
        'web' as platform,
        source_name as account_id,
        source_name as account_name,
        cast(null as text) as currency_code,
        'UTC' as account_zone
    from property

    union all

    select
        reserved.reserved_key as source_account_key,
        reserved.label as account_kind,
        reserved.label as platform,
        cast(null as text) as account_id,
        reserved.label as account_name,
        cast(null as text) as currency_code,
        cast(null as text) as account_zone
    from {{ reserved_members() }} as reserved
)

select * from final
