-- grain: one row per period, conversion type, fitted model and channel, as data stand now
{{ config(materialized='table', sort=['period_start', 'model']) }}

{%- set fitted = project.attribution.fitted %}
{%- set reporting = project.reporting %}
{#- What frozen figures answer to: another period or currency is another question. -#}
{%- set settings = 'period=' ~ fitted.period ~ ' zone=' ~ reporting.zone
    ~ ' currency=' ~ reporting.currency ~ ' edition=' ~ fitted.edition %}

with path as (
    select * from {{ ref('int_attribution_path') }}
),

fit as (
    select * from fit_attribution((
        select fit_group, path, conversions, nulls, reporting_value as value
        from path
        where path is not null
    ))
),

model as (
    select * from (values
        (cast(null as text))
        {%- for name in fitted.models | unique %}, ('{{ name }}'){% endfor %}
    ) as listed (model)
    where model is not null
),

-- What had no touch can be credited to nobody; it stays in the sum.
period as (
    select
        fit_group,
        max(conversion_type) as conversion_type,
        max(period_start) as period_start,
        max(period_end) as period_end,
        max(lookback_days) as lookback_days,
        bool_or(is_closed) as is_closed,
        cast(sum(case when path is null then conversions else 0 end) as bigint)
            as untouched_count,
        cast(sum(case when path is null then reporting_value else 0 end) as decimal(18, 6))
            as untouched_value,
        cast(sum(unconverted_rows) as bigint) as unconverted_rows
    from path
    group by fit_group
),

header as (
    select
        fit_group,
        model,
        max(parameters) as parameters,
        max(input_digest) as input_digest,
        max(path_count) as path_count,
        max(conversion_count) as conversion_count,
        max(null_count) as null_count,
        bool_or(has_negative_mean) as has_negative_mean,
        max(state_count) as state_count,
        max(log_likelihood) as log_likelihood,
        max(bic) as bic,
        max(error_bound) as error_bound,
        cast(sum(case when is_unattributed then credit else 0 end) as decimal(28, 12))
            as rest_credit,
        cast(sum(case when is_unattributed then credited_value else 0 end) as decimal(18, 6))
            as rest_value
    from fit
    group by fit_group, model
),

described as (
    select
        durable_key(
            'attribution_fit', period.fit_group, model.model,
            coalesce(header.parameters, ''), period.lookback_days, '{{ settings }}',
            coalesce(header.input_digest, ''), period.untouched_count,
            cast(period.untouched_value as text)
        ) as fit_id,
        period.fit_group,
        period.conversion_type,
        period.period_start,
        period.period_end,
        period.is_closed,
        model.model,
        btrim(
            coalesce(header.parameters, '') || ' lookback_days='
            || cast(period.lookback_days as text) || ' {{ settings }}'
        ) as parameters,
        coalesce(header.input_digest, '') as input_digest,
        coalesce(header.path_count, 0) as path_count,
        coalesce(header.conversion_count, 0) + period.untouched_count as conversion_count,
        period.untouched_count,
        coalesce(header.null_count, 0) as null_count,
        coalesce(header.null_count, 0) > 0 as has_nulls,
        coalesce(header.has_negative_mean, false) as has_negative_mean,
        header.state_count,
        header.log_likelihood,
        header.bic,
        coalesce(header.error_bound, 0.0) as error_bound,
        period.unconverted_rows,
        coalesce(header.rest_credit, 0) + period.untouched_count as rest_credit,
        coalesce(header.rest_value, 0) + period.untouched_value as rest_value
    from period
    cross join model
    left join header on period.fit_group = header.fit_group and model.model = header.model
),

credited as (
    select
        fit_group,
        model,
        cast(channel as bigint) as channel_key,
        effect,
        value_effect,
        credit,
        credited_value,
        false as is_unattributed
    from fit
    where not is_unattributed

    union all

    select
        fit_group,
        model,
        cast(-1 as bigint) as channel_key,
        cast(null as double) as effect,
        cast(null as double) as value_effect,
        cast(rest_credit as decimal(28, 12)) as credit,
        cast(rest_value as decimal(28, 6)) as credited_value,
        true as is_unattributed
    from described
),

final as (
    select
        described.fit_id,
        described.conversion_type,
        described.period_start,
        described.period_end,
        described.is_closed,
        described.model,
        credited.channel_key,
        credited.is_unattributed,
        cast(credited.effect as double) as effect,
        cast(credited.value_effect as double) as value_effect,
        cast(credited.credit as decimal(28, 12)) as credit,
        cast(credited.credited_value as decimal(18, 6)) as credited_reporting_amount,
        described.parameters,
        described.input_digest,
        cast(described.path_count as bigint) as path_count,
        cast(described.conversion_count as bigint) as conversion_count,
        described.untouched_count,
        cast(described.null_count as bigint) as null_count,
        described.has_nulls,
        described.has_negative_mean,
        described.state_count,
        described.log_likelihood,
        described.bic,
        cast(described.error_bound as double) as error_bound,
        described.unconverted_rows
    from described
    inner join credited
        on described.fit_group = credited.fit_group and described.model = credited.model
)

select * from final
