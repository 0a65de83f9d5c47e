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

-- What did not: who had a touch in the period and no conversion, seen from its end.
waiting as (
    select active.customer_key, fitted_period.*
    from active
    inner join fitted_period on active.period_start = fitted_period.period_start
    left anti join converted
        on
            active.customer_key = converted.customer_key
            and fitted_period.period_start = converted.period_start
            and fitted_period.conversion_type = converted.conversion_type
),

not_converting as (
    select
        waiting.conversion_type,
        waiting.period_start,
        array_agg(cast(touch.channel_key as text) order by touch.event_at, touch.touch_id) as path
    from waiting
    inner join touch
        on
            waiting.customer_key = touch.customer_key
            and touch.touch_date < waiting.period_end
            and touch.touch_date >= waiting.lookback_start
    group by waiting.conversion_type, waiting.period_start, waiting.customer_key
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
        1 as nulls,
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
