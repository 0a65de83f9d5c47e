-- By days, which is less to sort than touches.
with active as (
    select customer_key, cast(event_at as date) as day
    from star.int_customer_touch
    where not is_conversion and customer_key <> 0
    group by customer_key, cast(event_at as date)
),

span as (
    select
        day,
        day + 28 as ends_on,
        lead(day) over (partition by customer_key order by day) as next_day
    from active
),

change as (
    select
        case
            when sign.number = 1 then span.day
            when span.next_day < span.ends_on then span.next_day
            else span.ends_on
        end as day,
        sign.number as customers
    from span cross join (values (1), (-1)) as sign (number)
),

daily as (
    select day, sum(customers) as customers from change group by day
)

select dates.date, sum(coalesce(daily.customers, 0)) over (order by dates.date) as active_customers
from star.dim_date as dates
left join daily on dates.date = daily.day
where dates.date between {date_first} and {date_last}
order by date
