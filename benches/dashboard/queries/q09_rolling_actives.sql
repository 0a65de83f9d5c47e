-- Customers who were active in the 28 days up to each day. An active day counts until the next
-- one, or for 28 days: one more customer on the day, one fewer when it ends.
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
    select
        case
            when sign.number = 1 then span.day
            when span.next_day < span.ends_on then span.next_day
            else span.ends_on
        end as day,
        sign.number as customers
    from span cross join (select 1 as number union all select -1 as number) as sign
),

daily as (
    select day, sum(customers) as customers from change group by day
)

select dates.date, sum(coalesce(daily.customers, 0)) over (order by dates.date) as active_customers
from star.dim_date as dates
left join daily on dates.date = daily.day
where dates.date between {date_first} and {date_last}
order by date
