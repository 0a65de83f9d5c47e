-- The 20 most frequent ways to a sale, through channels.
select path, step_count, conversion_count
from paths(
    (
        select
            touch.customer_key,
            touch.event_at,
            touch.is_conversion,
            channel.channel as step
        from star.int_customer_touch as touch
        left join star.dim_channel as channel on touch.channel_key = channel.channel_key
        where
            touch.customer_key <> 0
            and (not touch.is_conversion or touch.conversion_type in ('purchase', 'deal_won'))
    ),
    max_steps => 20, collapse => true
)
where conversion_count > 0 and path is not null
order by conversion_count desc, path
limit 20
