-- Sessions of customers, robots left out: the touches.
select
    bridge.customer,
    session.session_started_at as touch_at,
    session.session_key as touch_key,
    session.channel,
    session.campaign_id,
    session.is_direct
from scope_touch_session as session
inner join bridge on session.identity_node = bridge.node
where not session.is_bot
