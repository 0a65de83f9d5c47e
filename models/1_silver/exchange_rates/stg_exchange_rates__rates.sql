-- grain: one row per day and pair of currencies
{{ config(entity='exchange_rate') }}

with rates as (
    select * from {{ source('exchange_rates', 'rates') }}
),

final as (
    select
        _raw_id,
        date as rate_date,
        upper("from") as from_currency,
        upper("to") as to_currency,
        rate
    from rates
)

select * from final
