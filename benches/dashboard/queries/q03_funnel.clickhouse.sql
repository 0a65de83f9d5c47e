with furthest as (
    select windowFunnel(7 * 86400 * 1000000)(
        toUInt64(toUnixTimestamp64Micro(event_at)),
        step = 'view_item', step = 'add_to_cart', step = 'purchase'
    ) as steps
    from ({customer_event})
    group by customer_key
)

select
    arrayJoin([1, 2, 3]) as step_number,
    ['view_item', 'add_to_cart', 'purchase'][step_number] as step,
    countIf(steps >= step_number) as customer_count
from furthest
group by step_number
order by step_number
