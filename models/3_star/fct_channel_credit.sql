-- grain: one row per fit and channel, and one for what no channel can be credited with
{{ config(materialized='table', sort=['period_start', 'model']) }}

with logged as (
    select
        *,
        min(fitted_at) over (partition by fit_id) as first_fitted_at
    from {{ ref('attribution_fit_log') }}
),

frozen as (
    select * from logged where fitted_at = first_fitted_at
),

current_fit as (
    select * from {{ ref('int_attribution_fit') }}
),

-- Which fits answer to the settings as they are: what was fitted with others is history.
asked as (
    select conversion_type, period_start, model, parameters, max(fit_id) as fit_id
    from current_fit
    group by conversion_type, period_start, model, parameters
),

-- Of a closed period the first fit stays in force; later data give a newer one beside it.
first_fit as (
    select conversion_type, period_start, model, parameters, min(fitted_at) as fitted_at
    from frozen
    group by conversion_type, period_start, model, parameters
),

-- Two fits of one run cannot be of one period: the key breaks no tie but keeps the answer one.
in_force as (
    select
        frozen.conversion_type,
        frozen.period_start,
        frozen.model,
        frozen.parameters,
        min(frozen.fit_id) as fit_id
    from frozen
    inner join first_fit
        on
            frozen.conversion_type = first_fit.conversion_type
            and frozen.period_start = first_fit.period_start
            and frozen.model = first_fit.model
            and frozen.parameters = first_fit.parameters
            and frozen.fitted_at = first_fit.fitted_at
    inner join asked
        on
            frozen.conversion_type = asked.conversion_type
            and frozen.period_start = asked.period_start
            and frozen.model = asked.model
            and frozen.parameters = asked.parameters
    group by
        frozen.conversion_type, frozen.period_start, frozen.model, frozen.parameters
),

every_fit as (
    select
        frozen.*,
        true as is_frozen,
        in_force.fit_id is not null as is_in_force,
        asked.fit_id is null as is_outdated
    from frozen
    left join in_force on frozen.fit_id = in_force.fit_id
    left join asked on frozen.fit_id = asked.fit_id

    union all

    -- Of an open period the fit is of the data so far.
    select
        current_fit.*,
        {{ no_instant() }} as fitted_at,
        {{ no_instant() }} as first_fitted_at,
        false as is_frozen,
        true as is_in_force,
        false as is_outdated
    from current_fit
    left anti join in_force
        on
            current_fit.conversion_type = in_force.conversion_type
            and current_fit.period_start = in_force.period_start
            and current_fit.model = in_force.model
            and current_fit.parameters = in_force.parameters
),

final as (
    select
        fit_id,
        conversion_type,
        period_start,
        period_end,
        model,
        channel_key,
        is_unattributed,
        effect,
        value_effect,
        credit,
        credited_reporting_amount,
        parameters,
        input_digest,
        path_count,
        conversion_count,
        untouched_count,
        null_count,
        has_nulls,
        has_negative_mean,
        state_count,
        log_likelihood,
        bic,
        error_bound,
        unconverted_rows,
        unconverted_rows > 0 as is_partial,
        fitted_at,
        is_frozen,
        is_in_force,
        is_outdated
    from every_fit
)

select * from final
