-- grain: one row per day, whole years round all dates of the data
{{ config(materialized='table') }}

{%- set sunday = project.reporting.week_start == 'sunday' %}

with observed as (
    select min(event_date) as first_date, max(event_date) as last_date
    from {{ ref('int_web_identity_day') }}

    union all

    select min(report_date) as first_date, max(report_date) as last_date
    from {{ ref('int_ad_performance') }}

    union all

    select min(event_date) as first_date, max(event_date) as last_date from {{ ref('fct_order') }}

    union all

    select min(event_date) as first_date, max(event_date) as last_date from {{ ref('fct_refund') }}

    union all

    select min(event_date) as first_date, max(event_date)
        as last_date from {{ ref('fct_conversion') }}

    union all

    select min(event_date) as first_date, max(event_date)
        as last_date from {{ ref('fct_deal_stage') }}
),

-- A clock that was wrong by decades must not make a calendar of centuries.
range as (
    select
        greatest(coalesce(min(first_date), cast('2020-01-01' as date)), cast('2000-01-01' as date))
            as first_date,
        least(coalesce(max(last_date), cast('2020-12-31' as date)), cast('2100-12-31' as date))
            as last_date
    from observed
),

day as (
    select cast(unnest(generate_series(
        cast(date_trunc('year', first_date - interval '7 days') as date),
        cast(date_trunc('year', last_date + interval '372 days') - interval '1 day' as date),
        interval '1 day'
    )) as date) as date
    from range
),

final as (
    select
        date,
        cast(to_char(date, '%Y%m%d') as bigint) as date_key,
        cast(date_part('year', date) as bigint) as year,
        cast(date_part('quarter', date) as bigint) as quarter,
        cast(date_part('month', date) as bigint) as month,
        cast(date_part('day', date) as bigint) as day_of_month,
        to_char(date, '%Y-%m') as year_month,
        to_char(date, '%B') as month_name,
        to_char(date, '%A') as day_name,
        cast(to_char(date, '%G') as bigint) as iso_year,
        cast(to_char(date, '%V') as bigint) as iso_week,
        {% if sunday -%}
        cast(date_part('dow', date) as bigint) + 1 as day_of_week,
        {%- else -%}
        cast(to_char(date, '%u') as bigint) as day_of_week,
        {%- endif %}
        {{ week_of('date') }} as week_start,
        cast(date_trunc('month', date) as date) as month_start,
        cast(date_trunc('quarter', date) as date) as quarter_start,
        cast(date_trunc('year', date) as date) as year_start,
        to_char(date, '%u') in ('6', '7') as is_weekend,
        date_part('day', date + interval '1 day') = 1 as is_month_end
    from day
)

select * from final
