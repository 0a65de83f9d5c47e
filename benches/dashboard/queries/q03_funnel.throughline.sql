-- Customers who saw an item, put one in the cart and bought, within 7 days, in this order.
select step_number, step, customer_count
from funnel(
    (select customer_key, event_at, step from ({customer_event})),
    'view_item', 'add_to_cart', 'purchase', within => '7 days'
)
order by step_number
