-- Customers who were active in the 28 days up to each day. A touch counts until the day of the next
-- one, or for 28 days: one more customer on its day, one fewer when it ends.
with touch as (
    select
        customer_key,
        event_at,
        cast(event_at as date) as day,
        cast(cast(event_at as date) + interval '28' day as date) as ends_on
    from star.int_customer_touch
    where not is_conversion and customer_key <> 0
),

followed as (
    select
        day,
        ends_on,
        lead({maybe_day}) over (partition by customer_key order by event_at) as next_day
    from touch
),

span as (
    select
        day,
        case when next_day < ends_on then next_day else ends_on end as last_day,
        count(*) as customers
    from followed
    where next_day is null or next_day <> day
    group by day, case when next_day < ends_on then next_day else ends_on end
),

change as (
    select
        case when sign.number = 1 then span.day else span.last_day end as day,
        sum(sign.number * span.customers) as customers
    from span cross join (select 1 as number union all select -1 as number) as sign
    group by case when sign.number = 1 then span.day else span.last_day end
)

select
    dates.date,
    sum(coalesce(change.customers, 0)) over (order by dates.date) as active_customers
from star.dim_date as dates
left join change on dates.date = change.day
where dates.date between {date_first} and {date_last}
order by date
