-- Customers who were active in the 28 days up to each day. An active day counts until the next
-- one, or for 28 days.
with active as (
    select customer_key, cast(event_at as date) as day
    from star.int_customer_touch
    where not is_conversion and customer_key <> 0
    group by customer_key, cast(event_at as date)
),

span as (
    select
        day,
        cast(day + interval '28' day as date) as ends_on,
        {next_day}
    from active
),

change as (
    select day, 1 as customers from span
    union all
    select
        case when next_day < ends_on then next_day else ends_on end as day,
        -1 as customers
    from span
),

daily as (
    select day, sum(customers) as customers from change group by day
)

select dates.date, sum(coalesce(daily.customers, 0)) over (order by dates.date) as active_customers
from star.dim_date as dates
left join daily on dates.date = daily.day
where dates.date between {date_first} and {date_last}
order by date
