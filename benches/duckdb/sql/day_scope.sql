-- Sessions that the new events touch: by the tracker's id; of devices with events outside the
-- tracker's sessions all, since one event may move those after it.
create temp table loose_device as
select distinct session_node from batch_event
where
    session_node is not null
    and (
        native_key is null
        or session_node in (
            select session_node from web_event where native_key is null and session_node is not null
        )
    );

create temp table dirty_session as
select native_key as session_key from batch_event where native_key is not null
union
select session_key from journey
where
    session_key is not null
    and (
        anonymous_node in (from loose_device)
        or (anonymous_node = 0 and identity_node in (from loose_device))
    );

create temp table scope_event as
select
    event_hash, event_at, event_sequence, event_name, session_node, native_key, device_node,
    user_node, email_node, order_node, session_number, page_url, device_category, device_brand,
    operating_system, browser, language, country, region, city, order_id, revenue_amount,
    tax_amount, shipping_amount, currency_code, item_quantity, engagement_msec, is_engaged,
    user_agent, consent_analytics, consent_ads
from web_event
where
    native_key in (from dirty_session)
    or session_node in (from loose_device)
    or (session_node is null and event_hash in (select event_hash from batch_event))
