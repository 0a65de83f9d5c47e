-- Customers of each day: those seen for the first time, and those who came back on another day.
with touch as (
    select customer_key, event_at, cast(event_at as date) as day
    from star.int_customer_touch
    where not is_conversion and customer_key <> 0
),

followed as (
    select
        day,
        lag({maybe_day}) over (partition by customer_key order by event_at) as day_before
    from touch
)

select
    day,
    sum(case when day_before is null then 1 else 0 end) as new_customers,
    sum(case when day_before < day then 1 else 0 end) as returning_customers,
    count(*) as touches
from followed
group by day
order by day
