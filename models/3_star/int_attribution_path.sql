-- grain: one row per period, conversion type and path of channels
{{ config(materialized='table', sort=['fit_group']) }}

{%- set fitted = project.attribution.fitted %}
{%- set period = fitted.period %}
{%- set types = fitted.conversion_types %}

-- What converted: the touches within the look-back, which the linear model lists in order.
with credit as (
    select conversion_id, touch_position, channel_key
    from {{ ref('fct_attribution_credit') }}
    where model = 'linear' and not is_unattributed
),

conversion as (
    select
        conversion_id,
        conversion_type,
        customer_key,
        cast(date_trunc('{{ period }}', reporting_date) as date) as period_start,
        revenue_reporting_amount
    from {{ ref('fct_conversion') }}
    where conversion_type in ('' {%- for name in types %}, '{{ name }}'{% endfor %})
),

party as (
    select conversion_id, customer_key from {{ ref('int_conversion_party') }}
),

touch as (
    select
        customer_key,
        touch_id,
        event_at,
        channel_key,
        {{ reporting_date('event_at') }} as touch_date
    from {{ ref('int_customer_touch') }}
    where not is_conversion and customer_key <> 0
),

listed_period as (
    select
        conversion_type,
        period_start,
        cast(period_start + interval '{{ fit_period_interval() }}' as date) as period_end
    from conversion
    group by conversion_type, period_start
),

fitted_period as (
    select
        *,
        cast({{ lookback_of_type('days') }} as bigint) as lookback_days,
        cast({{ lookback_of_type('start') }} as date) as lookback_start
    from listed_period
),

converting as (
    select
        conversion_id,
        array_agg(cast(channel_key as text) order by touch_position) as path
    from credit
    group by conversion_id
),

-- Customers who took part in a conversion of the type in the period, alone or with others.
converted as (
    select conversion_type, period_start, customer_key from conversion
    union
    select conversion.conversion_type, conversion.period_start, party.customer_key
    from conversion
    inner join party on conversion.conversion_id = party.conversion_id
),

active as (
    select
        customer_key,
        cast(date_trunc('{{ period }}', touch_date) as date) as period_start
    from touch
    group by customer_key, cast(date_trunc('{{ period }}', touch_date) as date)
),

-- The path of everybody who had a touch in the period, seen from its end: once for all types that
-- look back as far.
mark as (
    select
        active.customer_key,
        fitted_period.period_start,
        fitted_period.period_end,
        fitted_period.lookback_start
    from active
    inner join fitted_period on active.period_start = fitted_period.period_start
    group by
        active.customer_key, fitted_period.period_start, fitted_period.period_end,
        fitted_period.lookback_start
),

seen as (
    select
        customer_key, path, mark_period_start as period_start, mark_lookback_start as lookback_start
    from path_at((
        select
            customer_key,
            touch_date as on_date,
            true as is_touch,
            event_at,
            touch_id as touch_key,
            cast(channel_key as text) as step,
            cast(null as date) as from_date,
            cast(null as date) as mark_period_start,
            cast(null as date) as mark_lookback_start
        from touch

        union all

        select
            customer_key,
            period_end as on_date,
            false as is_touch,
            {{ no_instant() }} as event_at,
            cast(null as bigint) as touch_key,
            cast(null as text) as step,
            lookback_start as from_date,
            period_start as mark_period_start,
            lookback_start as mark_lookback_start
        from mark
    ))
    where path is not null
),

converted_as as (
    select
        customer_key,
        period_start,
        string_agg('|' || conversion_type || '|', '' order by conversion_type) as types
    from converted
    group by customer_key, period_start
),

-- Counted before the types are joined: paths are long, and few of them differ.
taken as (
    select
        seen.period_start,
        seen.lookback_start,
        seen.path,
        converted_as.types,
        count(*) as customer_count
    from seen
    left join converted_as
        on
            seen.customer_key = converted_as.customer_key
            and seen.period_start = converted_as.period_start
    group by seen.period_start, seen.lookback_start, seen.path, converted_as.types
),

-- What did not convert.
not_converting as (
    select fitted_period.conversion_type, taken.period_start, taken.path, taken.customer_count
    from taken
    inner join fitted_period
        on
            taken.period_start = fitted_period.period_start
            and taken.lookback_start = fitted_period.lookback_start
    where
        taken.types is null
        or strpos(taken.types, '|' || fitted_period.conversion_type || '|') = 0
),

walk as (
    select
        conversion.conversion_type,
        conversion.period_start,
        converting.path,
        1 as conversions,
        0 as nulls,
        conversion.revenue_reporting_amount as reporting_value
    from conversion
    left join converting on conversion.conversion_id = converting.conversion_id

    union all

    select
        conversion_type,
        period_start,
        path,
        0 as conversions,
        customer_count as nulls,
        cast(0 as decimal(18, 6)) as reporting_value
    from not_converting
),

known as (
    select max({{ reporting_date('event_at') }}) as known_until
    from {{ ref('int_customer_touch') }}
),

final as (
    select
        walk.conversion_type || ' ' || cast(walk.period_start as text) as fit_group,
        walk.conversion_type,
        walk.period_start,
        max(fitted_period.period_end) as period_end,
        max(fitted_period.lookback_days) as lookback_days,
        -- Data of some days after it: what comes later still is late.
        bool_or(
            known.known_until >= cast(
                fitted_period.period_end + interval '{{ fitted.close_after_days }} day' as date
            )
        ) as is_closed,
        -- Null where no touch lies within the look-back.
        walk.path,
        cast(sum(walk.conversions) as bigint) as conversions,
        cast(sum(walk.nulls) as bigint) as nulls,
        cast(coalesce(sum(walk.reporting_value), 0) as decimal(18, 6)) as reporting_value,
        cast(sum(case when walk.reporting_value is null then 1 else 0 end) as bigint)
            as unconverted_rows
    from walk
    inner join fitted_period
        on
            walk.conversion_type = fitted_period.conversion_type
            and walk.period_start = fitted_period.period_start
    cross join known
    group by walk.conversion_type, walk.period_start, walk.path
)

select * from final
