-- The latest view before a cart is the one that leads furthest. Steps of one instant count.
with event as materialized ({customer_event}),

cart as (
    select cart.customer_key, cart.event_at, viewed.event_at as viewed_at
    from (from event where step = 'add_to_cart') as cart
    asof join (from event where step = 'view_item') as viewed
        on cart.customer_key = viewed.customer_key and cart.event_at >= viewed.event_at
    where cart.event_at <= viewed.event_at + interval '7 days'
),

reached as (
    select customer_key, 1 as step_number from event where step = 'view_item' group by all
    union all
    select customer_key, 2 as step_number from cart group by all
    union all
    select purchase.customer_key, 3 as step_number
    from event as purchase
    inner join cart using (customer_key)
    where
        purchase.step = 'purchase'
        and purchase.event_at >= cart.event_at
        and purchase.event_at <= cart.viewed_at + interval '7 days'
    group by all
)

select
    step_number,
    ['view_item', 'add_to_cart', 'purchase'][step_number] as step,
    count(*) as customer_count
from reached
group by step_number
order by step_number
