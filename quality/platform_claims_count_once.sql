-- What a platform claims is added at one level, in one window and by one date basis a day.
{{ config(severity='error') }}

select
    platform,
    account_id,
    report_date,
    count(distinct level) as level_count,
    count(distinct attribution_window) as window_count,
    count(distinct date_basis) as date_basis_count
from {{ ref('fct_ad_conversion') }}
where is_conversion_of_record
group by platform, account_id, report_date
having
    count(distinct level) > 1
    or count(distinct attribution_window) > 1
    or count(distinct date_basis) > 1
