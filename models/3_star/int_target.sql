-- grain: one row per plan, measure, scope, period and currency, of the version that holds
{{ config(materialized='table') }}

{%- set reporting = project.reporting.currency %}
{%- set ratios = ['roas', 'cpa', 'cpl', 'cac', 'cpc', 'ctr'] %}

with stated as (
    select
        coalesce(plan_name, source_name) as plan_name,
        plan_version,
        metric,
        period_start,
        period_end,
        case
            when platform is null then null
            when {{ platform_of_source(campaign_alias_text('platform')) }} <> '*'
                then {{ platform_of_source(campaign_alias_text('platform')) }}
            else {{ campaign_alias_text('platform') }}
        end as platform,
        account_id,
        channel,
        market,
        campaign_id,
        campaign_name,
        amount,
        case
            when metric in ('spend', 'revenue', 'cpa', 'cpl', 'cac', 'cpc')
                then upper(coalesce(currency_code, '{{ reporting }}'))
        end as currency_code,
        coalesce(effective_at, {{ beginning() }}) as effective_at,
        _raw_id
    from {{ entity('target') }}
    where period_end >= period_start
),

-- Versions that are numbered follow their numbers, others the time of their export.
version_of_plan as (
    select
        plan_name,
        plan_version,
        row_number() over (
            partition by plan_name
            order by
                try_cast(
                    nullif(regexp_replace(plan_version, '[^0-9]', '', 'g'), '') as decimal(38, 0)
                ) nulls first,
                max(effective_at),
                plan_version nulls first
        ) as version_place
    from stated
    group by plan_name, plan_version
),

versioned as (
    select
        stated.*,
        version_of_plan.version_place
    from stated
    inner join version_of_plan
        on
            stated.plan_name = version_of_plan.plan_name
            and stated.plan_version is not distinct from version_of_plan.plan_version
),

-- A later version of a plan takes the place of the earlier one in the periods that it speaks of.
period_of_version as (
    select plan_name, metric, version_place, period_start, period_end
    from versioned
    group by plan_name, metric, version_place, period_start, period_end
),

held as (
    select versioned.*
    from versioned
    left anti join period_of_version
        on
            versioned.plan_name = period_of_version.plan_name
            and versioned.metric = period_of_version.metric
            and versioned.version_place < period_of_version.version_place
            and versioned.period_start <= period_of_version.period_end
            and versioned.period_end >= period_of_version.period_start
),

-- Two sources may bring the same line; the later export counts.
ranked as (
    select
        *,
        row_number() over (
            partition by
                plan_name, metric, period_start, period_end, platform, account_id,
                {{ campaign_alias_text('channel') }}, {{ campaign_alias_text('market') }},
                campaign_id, {{ campaign_alias_text('campaign_name') }}, currency_code
            order by effective_at desc, _raw_id desc
        ) as place
    from held
),

final as (
    select
        durable_key(
            'target', plan_name, metric, cast(period_start as text), cast(period_end as text),
            platform, account_id, {{ campaign_alias_text('channel') }},
            {{ campaign_alias_text('market') }}, campaign_id,
            {{ campaign_alias_text('campaign_name') }}, currency_code
        ) as target_key,
        plan_name,
        plan_version,
        metric,
        metric in ({% for name in ratios %}'{{ name }}'{{ ', ' if not loop.last }}{% endfor %})
            as is_ratio,
        period_start,
        period_end,
        cast(date_part('epoch', cast(period_end as timestamp)) / 86400 as bigint)
        - cast(date_part('epoch', cast(period_start as timestamp)) / 86400 as bigint)
        + 1 as days_in_period,
        platform,
        account_id,
        channel,
        market,
        campaign_id,
        campaign_name,
        coalesce(
            {{ segment_of([
                ['platform', 'platform'], ['account', 'account_id'], ['channel', 'channel'],
                ['market', 'market'], ['campaign', 'coalesce(campaign_name, campaign_id)'],
            ]) }},
            'all'
        ) as scope,
        amount,
        currency_code
    from ranked
    where place = 1
)

select * from final
