-- Spend of each platform and day, the month to date, and what the month before had spent by then.
with daily as (
    select
        spend.platform,
        spend.report_date,
        dates.month_start,
        dates.day_of_month,
        spend.spend
    from (
        select platform, report_date, sum(spend_reporting_amount) as spend
        from star.fct_ad_performance_current
        where is_spend_of_record
        group by platform, report_date
    ) as spend
    inner join star.dim_date as dates on spend.report_date = dates.date
),

paced as (
    select
        *,
        sum(spend) over (partition by platform, month_start order by report_date) as month_to_date
    from daily
),

month_before as (
    select
        platform,
        cast(month_start + interval '1' month as date) as next_month,
        sum(spend) as spend_before,
        cast(sum(spend) as double) as spend_float
    from daily
    group by platform, cast(month_start + interval '1' month as date)
)

select
    paced.platform,
    paced.report_date,
    paced.spend,
    paced.month_to_date,
    month_before.spend_before as month_before,
    cast(paced.month_to_date as double) / nullif(month_before.spend_float, 0) as pace
from paced
left join month_before
    on paced.platform = month_before.platform and paced.month_start = month_before.next_month
order by platform, report_date
