-- grain: one row per period, conversion type, channel and attribution model, rules and fitted ones
{{ config(materialized='table', sort=['period_start', 'model']) }}

{%- set fitted = project.attribution.fitted %}

-- All models side by side, in the periods that fitted ones have.
with fitted_credit as (
    select
        conversion_type, period_start, period_end, model, channel_key, is_unattributed, effect,
        credit, credited_reporting_amount, is_partial, is_frozen, is_outdated
    from {{ ref('fct_channel_credit') }}
    where is_in_force
),

period as (
    select conversion_type, period_start, max(period_end) as period_end
    from fitted_credit
    group by conversion_type, period_start
),

rule_credit as (
    select
        conversion_type,
        cast(date_trunc('{{ fitted.period }}', conversion_date) as date) as period_start,
        model,
        channel_key,
        is_unattributed,
        credit,
        credited_reporting_amount,
        is_partial
    from {{ ref('fct_channel_credit_daily') }}
),

every_credit as (
    select
        conversion_type,
        period_start,
        period_end,
        model,
        channel_key,
        effect,
        credit,
        credited_reporting_amount,
        is_partial,
        is_frozen,
        is_outdated
    from fitted_credit
    where not is_unattributed or credit <> 0 or credited_reporting_amount <> 0

    union all

    select
        rule_credit.conversion_type,
        rule_credit.period_start,
        max(period.period_end) as period_end,
        rule_credit.model,
        rule_credit.channel_key,
        cast(null as double) as effect,
        sum(rule_credit.credit) as credit,
        coalesce(sum(rule_credit.credited_reporting_amount), 0) as credited_reporting_amount,
        bool_or(rule_credit.is_partial) as is_partial,
        false as is_frozen,
        false as is_outdated
    from rule_credit
    inner join period
        on
            rule_credit.conversion_type = period.conversion_type
            and rule_credit.period_start = period.period_start
    group by
        rule_credit.conversion_type, rule_credit.period_start, rule_credit.model,
        rule_credit.channel_key
),

channel as (
    select channel_key, channel from {{ ref('dim_channel') }}
),

model as (
    select model, label, model_kind from {{ ref('dim_attribution_model') }}
),

final as (
    select
        every_credit.period_start,
        every_credit.period_end,
        every_credit.conversion_type,
        every_credit.channel_key,
        channel.channel,
        every_credit.model,
        model.label as model_label,
        model.model_kind,
        every_credit.effect,
        cast(every_credit.credit as decimal(28, 12)) as credited_conversions,
        cast(every_credit.credited_reporting_amount as decimal(18, 6))
            as revenue_reporting_amount,
        every_credit.is_partial,
        every_credit.is_frozen,
        every_credit.is_outdated
    from every_credit
    inner join channel on every_credit.channel_key = channel.channel_key
    inner join model on every_credit.model = model.model
)

select * from final
