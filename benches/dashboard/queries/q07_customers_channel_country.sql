-- Customers by channel and country of their visits, the last 90 days.
select
    channel.channel,
    geo.country,
    count(distinct bridge.customer_key) as customers,
    count(*) as sessions
from {session} as session
inner join identity.bridge_identity as bridge
    on session.identity_node_id = bridge.identity_node_id
inner join star.dim_channel as channel on session.channel_key = channel.channel_key
inner join star.dim_geo as geo on session.geo_key = geo.geo_key
where
    session.event_date between {date_first} and {date_last} and not session.is_bot
    and session.session_started_at >= bridge.valid_from
    and session.session_started_at < bridge.valid_to
    and bridge.customer_key <> 0
group by channel.channel, geo.country
order by channel, country
