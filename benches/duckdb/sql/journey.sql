-- What happened on the web, with the identifiers it was seen with: the rows of the fact.
select
    event.event_hash as event_id,
    event.event_at,
    event.event_at::date as event_date,
    event.event_name as event_type,
    coalesce(event.device_node, 0) as anonymous_node,
    coalesce(event.user_node, event.email_node, event.order_node, event.device_node, 0)
        as identity_node,
    case
        when event.user_node is not null then 'user'
        when event.email_node is not null then 'email'
        when event.order_node is not null then 'order'
        when event.device_node is not null then 'device'
        else 'unknown'
    end as identity_type,
    session_event.session_key,
    session_event.session_event_index,
    event.session_number,
    hash(page_address(event.page_url)) as page_key,
    hash(event.device_category, event.device_brand, event.operating_system, event.browser,
        event.language) as device_key,
    hash(event.country, event.region, event.city) as geo_key,
    order_reference(event.order_id) as order_reference,
    event.revenue_amount,
    event.tax_amount,
    event.shipping_amount,
    event.currency_code,
    event.item_quantity,
    event.engagement_msec,
    event.is_engaged,
    bot_agent.user_agent is not null as is_bot,
    event.consent_analytics,
    event.consent_ads
from scope_event as event
left join session_event on event.event_hash = session_event.event_hash
left join bot_agent on event.user_agent = bot_agent.user_agent
