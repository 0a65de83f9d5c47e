with active as (
    select customer_key, groupUniqArray(toMonday(event_at)) as weeks, arrayMin(weeks) as cohort_date
    from star.int_customer_touch
    where not is_conversion and customer_key <> 0
    group by customer_key
),

counted as (
    select cohort_date, week, count() as customer_count
    from active
    array join weeks as week
    group by cohort_date, week
),

cohort as (
    select cohort_date, sumMap(map(week, customer_count)) as counts
    from counted
    group by cohort_date
),

cohort_sized as (
    select cohort_date, counts, counts[cohort_date] as cohort_customer_count
    from cohort
)

select
    cohort_date,
    cohort_customer_count,
    arrayJoin(range(toUInt64(
        dateDiff('day', cohort_date, (select max(week) from counted)) / 7 + 1
    ))) as period_number,
    counts[cohort_date + period_number * 7] as customer_count,
    customer_count / cohort_customer_count as retention_rate
from cohort_sized
order by cohort_date, period_number
