-- Which identifiers web events name together, each combination once.
select
    device_node,
    user_node,
    email_node,
    order_node,
    node(9, gclid) as click_node,
    min(event_at) as first_at,
    max(event_at) as last_at,
    count(*) as event_count
from fresh_event
group by all
