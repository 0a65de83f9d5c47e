-- grain: one row per day and currency, with its worth in the reporting currency
{{ config(materialized='table') }}

{%- set reporting = project.reporting.currency %}
{%- set days_max = var('exchange_rate_days_max', 10) %}

-- Rates are stated on working days: each holds until the next one, at most {{ days_max }} days.
with stated as (
    select rate_date, upper(from_currency) as from_currency, upper(to_currency) as to_currency, rate
    from {{ entity('exchange_rate') }}
    where rate > 0
),

-- Read both ways, so that 1 EUR = 1.10 USD also says what a dollar is worth.
both_ways as (
    select rate_date, from_currency, to_currency, rate, 1 as precedence from stated
    union all
    select
        rate_date,
        to_currency as from_currency,
        from_currency as to_currency,
        cast(cast(1 as decimal(20, 10)) / rate as decimal(18, 8)) as rate,
        2 as precedence
    from stated
),

-- Straight to the reporting currency, else by way of one other currency quoted that day.
crossed as (
    select rate_date, from_currency, rate, precedence, '' as via
    from both_ways
    where to_currency = '{{ reporting }}'

    union all

    select
        first_leg.rate_date,
        first_leg.from_currency,
        cast(first_leg.rate * second_leg.rate as decimal(18, 8)) as rate,
        2 + first_leg.precedence + second_leg.precedence as precedence,
        first_leg.to_currency as via
    from both_ways as first_leg
    inner join both_ways as second_leg
        on
            first_leg.rate_date = second_leg.rate_date
            and first_leg.to_currency = second_leg.from_currency
    where
        second_leg.to_currency = '{{ reporting }}'
        and first_leg.to_currency <> '{{ reporting }}'
        and first_leg.from_currency <> '{{ reporting }}'
),

ranked as (
    select
        *,
        row_number() over (
            partition by rate_date, from_currency order by precedence, via
        ) as place
    from crossed
    where from_currency <> '{{ reporting }}'
),

held as (
    select
        rate_date,
        from_currency,
        rate,
        least(
            coalesce(
                lead(rate_date) over (partition by from_currency order by rate_date)
                    - interval '1 day',
                rate_date + interval '{{ days_max }} days'
            ),
            rate_date + interval '{{ days_max }} days'
        ) as last_date
    from ranked
    where place = 1
),

final as (
    select
        cast(unnest(generate_series(
            cast(rate_date as date), cast(last_date as date), interval '1 day'
        )) as date) as rate_date,
        from_currency as currency_code,
        rate as exchange_rate,
        rate_date as exchange_rate_date
    from held
)

select * from final
