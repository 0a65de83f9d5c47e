-- grain: one row per kind of gap, table, member and currency; rates by day, plans by line
{{ config(materialized='table', sort=['gap', 'first_date']) }}

{%- set reporting = project.reporting.currency %}

-- What is missing from totals, or cannot be told apart in them, and what to do about it. A gap
-- never stops a build. The tables overlap (an order's lines are its money): never add their rows.
with spend as (
    select * from {{ ref('fct_ad_performance_current') }}
    where is_spend_of_record
),

unconverted as (
    select
        'fct_ad_performance' as table_name, report_date as date, currency_code,
        spend_amount as amount
    from spend
    where is_partial

    union all

    select
        'fct_ad_conversion' as table_name, report_date as date, currency_code,
        platform_conversion_amount as amount
    from {{ ref('fct_ad_conversion_current') }}
    where is_partial and is_conversion_of_record

    union all

    select 'fct_conversion' as table_name, event_date as date, currency_code,
        revenue_amount as amount
    from {{ ref('fct_conversion') }}
    where is_partial

    union all

    select 'fct_order_line' as table_name, event_date as date, currency_code,
        revenue_amount as amount
    from {{ ref('fct_order_line') }}
    where revenue_amount <> 0 and revenue_reporting_amount is null

    union all

    select 'fct_refund' as table_name, event_date as date, currency_code,
        refund_amount as amount
    from {{ ref('fct_refund') }}
    where refund_amount <> 0 and refund_reporting_amount is null
),

no_rate as (
    select
        case when currency_code is null then 'no currency' else 'no exchange rate' end as gap,
        table_name,
        cast(null as text) as platform,
        cast(null as text) as id,
        currency_code,
        min(date) as first_date,
        max(date) as last_date,
        count(*) as row_count,
        sum(amount) as amount,
        case
            when currency_code is null
                then 'state the currency: load the ad accounts, or set `currency:` of the source'
            else concat(
                'load a rate from ', currency_code, ' to {{ reporting }} for ',
                cast(date as text), ' or one of the days before it: a source of kind ',
                '`exchange_rates`'
            )
        end as hint
    from unconverted
    group by table_name, currency_code, date
),

catalogue as (
    select durable_key('product', product_id) as product_key
    from {{ entity('product') }}
    group by product_id
),

unknown_product as (
    select
        'unknown product' as gap,
        'fct_order_line' as table_name,
        cast(null as text) as platform,
        coalesce(product.product_id, product.sku, product.product_name) as id,
        line.currency_code,
        min(line.event_date) as first_date,
        max(line.event_date) as last_date,
        count(*) as row_count,
        sum(line.revenue_amount) as amount,
        'load the product into `product` under the id that the order lines name' as hint
    from {{ ref('fct_order_line') }} as line
    left join {{ ref('dim_product') }} as product
        on line.product_key = product.product_key and product.is_current
    left anti join catalogue on line.product_key = catalogue.product_key
    group by
        coalesce(product.product_id, product.sku, product.product_name), line.currency_code
),

campaign as (
    select campaign_key, platform, account_id, campaign_id, campaign_name, is_not_at_this_level
    from {{ ref('dim_campaign') }}
    where level in ('campaign', '(unknown)', '(not applicable)') and is_current
),

unknown_campaign as (
    select
        'unknown campaign' as gap,
        'fct_ad_performance' as table_name,
        spend.platform,
        campaign.campaign_id as id,
        spend.currency_code,
        min(spend.report_date) as first_date,
        max(spend.report_date) as last_date,
        count(*) as row_count,
        sum(spend.spend_amount) as amount,
        case
            when campaign.campaign_id is null
                then 'the platform names no campaign of this money: load its campaign report'
            else 'nobody says what this campaign is called: load the campaigns of the account'
        end as hint
    from spend
    left join campaign on spend.campaign_key = campaign.campaign_key
    where
        campaign.campaign_id is null or campaign.campaign_name = campaign.campaign_id
    group by spend.platform, campaign.campaign_id, spend.currency_code
),

unresolved_session as (
    select
        'unknown campaign' as gap,
        'fct_session' as table_name,
        cast(null as text) as platform,
        coalesce(utm_id, campaign_name) as id,
        cast(null as text) as currency_code,
        min(reporting_date) as first_date,
        max(reporting_date) as last_date,
        count(*) as row_count,
        cast(null as decimal(18, 6)) as amount,
        'visits of ads whose campaign nobody knows: load the account, its clicks, or mend the tag'
            as hint
    from {{ ref('fct_session') }}
    where campaign_resolution = 'unresolved' and click_id is not null and not is_bot
    group by coalesce(utm_id, campaign_name)
),

-- A name that several campaigns had at the time is none of theirs.
ambiguous_session as (
    select
        'ambiguous campaign' as gap,
        'fct_session' as table_name,
        cast(null as text) as platform,
        coalesce(utm_id, campaign_name) as id,
        cast(null as text) as currency_code,
        min(reporting_date) as first_date,
        max(reporting_date) as last_date,
        count(*) as row_count,
        cast(null as decimal(18, 6)) as amount,
        'several campaigns have this name or tag: give each its own, or send utm_id' as hint
    from {{ ref('fct_session') }}
    where campaign_resolution = 'ambiguous' and not is_bot
    group by coalesce(utm_id, campaign_name)
),

ambiguous_activity as (
    select
        'ambiguous campaign' as gap,
        'fct_journey_event' as table_name,
        cast(null as text) as platform,
        activity.campaign_name as id,
        cast(null as text) as currency_code,
        min(activity.reporting_date) as first_date,
        max(activity.reporting_date) as last_date,
        count(*) as row_count,
        cast(null as decimal(18, 6)) as amount,
        'several campaigns have this name: the CRM has to name the one it means' as hint
    from {{ ref('fct_journey_event', part='record') }} as activity
    inner join {{ ref('bridge_campaign_alias') }} as campaign_alias
        on
            {{ campaign_alias_key('name', "'*'", 'activity.campaign_name') }}
            = campaign_alias.alias_key
            and activity.event_at >= campaign_alias.valid_from
            and activity.event_at < campaign_alias.valid_to
    where activity.is_touchpoint and campaign_alias.is_ambiguous
    group by activity.campaign_name
),

-- A line of a plan that finds nothing to be measured by.
plan_line as (
    select
        'plan without a match' as gap,
        'mart_pacing' as table_name,
        platform,
        concat(plan_name, ': ', metric, ' of ', scope) as id,
        currency_code,
        period_start as first_date,
        period_end as last_date,
        cast(1 as bigint) as row_count,
        budget_amount as amount,
        'nothing was reported for this scope: compare its names with those of `dim_campaign`, '
        || '`dim_channel` and `bridge_campaign_name_part`' as hint
    from {{ ref('mart_pacing') }}
    where campaign_count = 0 and status <> 'not started'

    union all

    select
        'plan without days' as gap,
        'target' as table_name,
        platform,
        concat(coalesce(plan_name, source_name), ': ', metric) as id,
        currency_code,
        period_end as first_date,
        period_start as last_date,
        cast(1 as bigint) as row_count,
        amount,
        'the period ends before it begins: correct the line' as hint
    from {{ entity('target') }}
    where period_end < period_start
),

every_gap as (
    select * from plan_line
    union all
    select * from no_rate
    union all
    select * from unknown_product
    union all
    select * from unknown_campaign
    union all
    select * from unresolved_session
    union all
    select * from ambiguous_session
    union all
    select * from ambiguous_activity
),

final as (
    select
        gap,
        table_name,
        platform,
        id,
        currency_code,
        first_date,
        last_date,
        cast(row_count as bigint) as row_count,
        cast(amount as decimal(18, 6)) as amount,
        hint
    from every_gap
)

select * from final
