-- grain: one row per day and currency of the European Central Bank's table
{{ config(entity='exchange_rate', rows='many') }}
{%- set currencies = [
    'USD', 'JPY', 'BGN', 'CYP', 'CZK', 'DKK', 'EEK', 'GBP', 'HUF', 'LTL', 'LVL', 'MTL',
    'PLN', 'ROL', 'RON', 'SEK', 'SIT', 'SKK', 'CHF', 'ISK', 'NOK', 'HRK', 'RUB', 'TRL',
    'TRY', 'AUD', 'BRL', 'CAD', 'CNY', 'HKD', 'IDR', 'ILS', 'INR', 'KRW', 'MXN', 'MYR',
    'NZD', 'PHP', 'SGD', 'THB', 'ZAR',
] %}

with reference_rates as (
    select * from {{ source('exchange_rates', 'reference_rates') }}
),

rates_by_currency as (
    select
        _raw_id,
        "Date" as rate_date,
        unnest(make_array(
            {%- for currency in currencies %}
            named_struct('currency', '{{ currency }}', 'rate', "{{ currency }}")
            {{- ',' if not loop.last }}
            {%- endfor %}
        )) as quote
    from reference_rates
),

-- A currency that the bank did not quote that day (not yet, no longer) has no row: the last day
-- before it counts.
final as (
    select
        _raw_id,
        rate_date,
        'EUR' as from_currency,
        quote['currency'] as to_currency,
        trim(quote['rate']) as rate
    from rates_by_currency
    where trim(coalesce(quote['rate'], '')) not in ('', 'N/A')
)

select * from final
