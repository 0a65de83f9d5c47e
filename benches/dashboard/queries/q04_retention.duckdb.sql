with active as (
    select distinct customer_key, date_trunc('week', event_at)::date as week
    from star.int_customer_touch
    where not is_conversion and customer_key <> 0
),

first_week as (
    select customer_key, min(week) as cohort_date from active group by customer_key
),

counted as (
    select cohort_date, week, count(*) as customer_count
    from active
    inner join first_week using (customer_key)
    group by cohort_date, week
),

cohort as (
    select cohort_date, customer_count as cohort_customer_count
    from counted
    where week = cohort_date
)

select
    cohort.cohort_date,
    cohort.cohort_customer_count,
    (period.week - cohort.cohort_date) // 7 as period_number,
    coalesce(counted.customer_count, 0) as customer_count,
    coalesce(counted.customer_count, 0) / cohort.cohort_customer_count as retention_rate
from cohort
inner join (
    select unnest(generate_series(
        min(week)::timestamp, max(week)::timestamp, interval '7 days'
    ))::date as week from active
) as period on period.week >= cohort.cohort_date
left join counted on cohort.cohort_date = counted.cohort_date and period.week = counted.week
order by cohort_date, period_number
