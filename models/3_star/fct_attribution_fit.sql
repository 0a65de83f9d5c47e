-- grain: one row per fit: a model fitted on the paths of one period and conversion type
{{ config(materialized='table', sort=['period_start', 'model']) }}

with channel_credit as (
    select * from {{ ref('fct_channel_credit') }}
),

final as (
    select
        fit_id,
        conversion_type,
        period_start,
        max(period_end) as period_end,
        model,
        case when model like 'markov_%' then cast(substr(model, 8) as bigint) end as markov_order,
        max(parameters) as parameters,
        max(input_digest) as input_digest,
        max(path_count) as path_count,
        max(conversion_count) as conversion_count,
        max(untouched_count) as untouched_count,
        max(null_count) as null_count,
        bool_or(has_nulls) as has_nulls,
        cast(sum(credited_reporting_amount) as decimal(18, 6)) as reporting_value,
        bool_or(has_negative_mean) as has_negative_mean,
        max(state_count) as state_count,
        max(log_likelihood) as log_likelihood,
        max(bic) as bic,
        max(error_bound) as error_bound,
        max(unconverted_rows) as unconverted_rows,
        bool_or(is_partial) as is_partial,
        max(fitted_at) as fitted_at,
        bool_or(is_frozen) as is_frozen,
        bool_or(is_in_force) as is_in_force,
        bool_or(is_outdated) as is_outdated
    from channel_credit
    group by fit_id, conversion_type, period_start, model
)

select * from final
