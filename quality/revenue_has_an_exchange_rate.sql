-- A sale without a rate is missing from every total in the reporting currency.
{{ config(severity='warn') }}

select currency_code, min(event_date) as first_date, max(event_date) as last_date, count(*)
    as sale_count
from {{ ref('fct_conversion') }}
where is_partial
group by currency_code
