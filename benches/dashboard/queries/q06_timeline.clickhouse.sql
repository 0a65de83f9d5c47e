-- Everything one customer did, oldest first. Whose an event is, is what star.journey_event says:
-- its own identifier's, else that of its session, else that of its deal, else its device's.
with node as (
    select identity_node_id as node_key, valid_from, valid_to
    from identity.bridge_identity
    where customer_key = {customer}
),

visit as (
    select session.session_id, node.node_key, node.valid_from, node.valid_to
    from star.int_session as session
    inner join node on session.identity_node_id = node.node_key
),

deal as (
    select deal.deal_key, node.node_key, node.valid_from, node.valid_to
    from star.int_deal_customer as deal
    inner join node on deal.identity_node_id = node.node_key
),

event as (
    select event.event_id, event.event_at, event.event_type, event.event_detail,
        event.channel_key, event.page_key, event.order_reference, event.revenue_amount
    from star.fct_journey_event as event
    inner join node on event.identity_node_id = node.node_key
    where
        event.event_at >= node.valid_from and event.event_at < node.valid_to
        and (
            event.identity_node_id <> event.anonymous_node_id
            or event.session_id is null
        )
    union all
    select event.event_id, event.event_at, event.event_type, event.event_detail,
        event.channel_key, event.page_key, event.order_reference, event.revenue_amount
    from star.fct_journey_event as event
    inner join visit on event.session_id = visit.session_id
    where
        event.event_at >= visit.valid_from and event.event_at < visit.valid_to
        and event.identity_node_id = event.anonymous_node_id
    union all
    select event.event_id, event.event_at, event.event_type, event.event_detail,
        event.channel_key, event.page_key, event.order_reference, event.revenue_amount
    from star.fct_journey_event as event
    inner join deal on event.deal_key = deal.deal_key
    where
        event.event_at >= deal.valid_from and event.event_at < deal.valid_to
        and event.event_group = 'crm' and event.identity_node_id = 0
)

select
    event.event_at, event.event_type, event.event_detail, channel.channel, page.path,
    event.order_reference, event.revenue_amount
from event
left join star.dim_channel as channel on event.channel_key = channel.channel_key
left join star.dim_page as page on event.page_key = page.page_key
order by event.event_at, event.event_id
