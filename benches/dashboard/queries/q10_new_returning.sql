-- Customers of each day: those seen for the first time, and those who came back.
with active as (
    select customer_key, cast(event_at as date) as day, count(*) as touches
    from star.int_customer_touch
    where not is_conversion and customer_key <> 0
    group by customer_key, cast(event_at as date)
),

judged as (
    select day, touches, min(day) over (partition by customer_key) as first_day from active
)

select
    day,
    sum(case when day = first_day then 1 else 0 end) as new_customers,
    sum(case when day > first_day then 1 else 0 end) as returning_customers,
    sum(touches) as touches
from judged
group by day
order by day
