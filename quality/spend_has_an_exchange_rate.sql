-- Spend without a rate is missing from every total in the reporting currency.
{{ config(severity='warn') }}

select platform, account_id, currency_code, min(report_date) as first_date, max(report_date)
    as last_date,
    count(*) as row_count
from {{ ref('fct_ad_performance_current') }}
where is_partial and is_spend_of_record
group by platform, account_id, currency_code
