-- Each conversion with the way that led to it: the linear model credits every touch of the path.
with step as (
    select
        conversion_id,
        touch_at,
        position,
        path_length,
        channel,
        lag(channel) over (partition by conversion_id order by position) is distinct from channel
            as is_new
    from credit
    where model = 'linear' and channel <> '(unattributed)'
),

path as (
    select
        conversion_id,
        string_agg(channel, ' > ' order by position) filter (is_new) as channel_path,
        count(*) filter (is_new) as step_count,
        max(path_length) as touch_count,
        min(touch_at) as first_touch_at,
        max(touch_at) as last_touch_at,
        arg_min(channel, position) as first_channel,
        arg_max(channel, position) as last_channel
    from step
    group by conversion_id
)

select
    conversion.conversion_id,
    conversion.conversion_type,
    conversion.event_date,
    conversion.customer,
    conversion.is_sale,
    conversion.is_new_customer,
    conversion.revenue_reporting_amount,
    coalesce(channel_path, '(no touch)') as channel_path,
    coalesce(step_count, 0) as step_count,
    coalesce(touch_count, 0) as touch_count,
    first_touch_at,
    last_touch_at,
    first_channel,
    last_channel,
    (epoch_us(conversion_at) - epoch_us(first_touch_at)) / 86400e6 as days_to_convert
from conversion
left join path on conversion.conversion_id = path.conversion_id
