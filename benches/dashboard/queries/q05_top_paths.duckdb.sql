with touch as (
    select customer_key, event_at, is_conversion, channel_key
    from star.int_customer_touch
    where customer_key <> 0
        and (not is_conversion or conversion_type in ('purchase', 'deal_won'))
),

buyer as (
    select customer_key from touch where is_conversion group by customer_key
),

numbered as (
    select
        touch.customer_key,
        touch.event_at,
        channel.channel,
        touch.is_conversion,
        coalesce(count(case when touch.is_conversion then 1 end) over (
            partition by touch.customer_key
            order by touch.event_at, touch.is_conversion, channel.channel
            rows between unbounded preceding and 1 preceding
        ), 0) as path_number
    from touch
    inner join buyer using (customer_key)
    left join star.dim_channel as channel using (channel_key)
),

step as (
    select
        *,
        lag(channel) over (
            partition by customer_key, path_number order by event_at, channel
        ) is distinct from channel as is_new
    from numbered
    where not is_conversion
),

way as (
    select
        customer_key,
        path_number,
        list(channel order by event_at, channel) filter (is_new) as channels
    from step
    group by customer_key, path_number
    having (customer_key, path_number) in (
        select (customer_key, path_number) from numbered where is_conversion
    )
)

select
    case when len(channels) > 20 then '… > ' else '' end
        || array_to_string(channels[-20:], ' > ') as path,
    least(len(channels), 20) as step_count,
    count(*) as conversion_count
from way
group by channels
order by conversion_count desc, path
limit 20
