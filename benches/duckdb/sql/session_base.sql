-- Sessions summed up from their events.
with event as (
    select * from scope_journey where session_key is not null
),

total as (
    select
        session_key,
        min(event_at) as session_started_at,
        max(event_at) as session_ended_at,
        min(anonymous_node) as anonymous_node,
        max(identity_node) filter (session_event_index = 1) as first_identity_node,
        max(session_number) as session_number,
        max(page_key) filter (session_event_index = 1) as landing_page_key,
        max(device_key) filter (session_event_index = 1) as device_key,
        max(geo_key) filter (session_event_index = 1) as geo_key,
        max(consent_analytics) as consent_analytics,
        max(consent_ads) as consent_ads,
        count(*) as event_count,
        count(*) filter (event_type in ('page_view', 'screen_view')) as page_view_count,
        count(*) filter (event_type in ('purchase', 'in_app_purchase', 'ecommerce_purchase',
            'generate_lead', 'sign_up')) as conversion_count,
        coalesce(sum(engagement_msec), 0)::bigint as engagement_msec,
        bool_or(is_engaged) as is_engaged,
        bool_or(is_bot) as is_bot,
        bool_or(event_type in ('first_visit', 'first_open')) as is_first_visit,
        -- The strongest identifier on any event, the first of equals.
        min({
            'strength': identity_node >> 60, 'place': session_event_index, 'node': identity_node
        }) filter (identity_type in ('user', 'email', 'order')) as strongest
    from event
    group by session_key
),

-- The shop's funnel in order, one letter for each step.
funnel as (
    select
        session_key,
        string_agg(case event_type
            when 'view_item' then 'v'
            when 'add_to_cart' then 'a'
            when 'begin_checkout' then 'c'
            else 'p'
        end, '' order by session_event_index) as steps
    from event
    where event_type in ('view_item', 'add_to_cart', 'begin_checkout', 'purchase',
        'in_app_purchase', 'ecommerce_purchase')
    group by session_key
),

-- The session's source is that of its first event that brings one.
source as (
    select event.session_key, arg_min(event_source, session_event_index) as first_source
    from event_source
    inner join event on event_source.event_hash = event.event_id
    where event_source.resolution is not null
    group by event.session_key
)

select
    total.session_key,
    session_started_at,
    session_ended_at,
    session_started_at::date as event_date,
    anonymous_node,
    coalesce(strongest.node, first_identity_node, 0) as identity_node,
    session_number,
    landing_page_key,
    device_key,
    geo_key,
    coalesce(first_source.channel, 'Direct') as channel,
    coalesce(first_source.source, '(direct)') as source,
    coalesce(first_source.medium, '(none)') as medium,
    coalesce(first_source.campaign, '(not set)') as campaign_name,
    first_source.term,
    first_source.content,
    first_source.utm_id,
    first_source.click_id,
    first_source.click_id_type,
    coalesce(first_source.resolution, 'direct') as source_resolution,
    first_source.referrer_host,
    consent_analytics,
    consent_ads,
    event_count,
    page_view_count,
    conversion_count,
    engagement_msec,
    trunc(epoch(session_ended_at) - epoch(session_started_at))::bigint as duration_seconds,
    is_engaged or conversion_count > 0 or page_view_count >= 2 or engagement_msec > 10000
        as is_engaged,
    is_bot,
    case
        when is_first_visit then true
        when session_number is not null then session_number = 1
    end as is_new_visitor,
    first_source.resolution is null as is_direct,
    coalesce(regexp_matches(steps, 'v'), false) as has_view_item,
    coalesce(regexp_matches(steps, 'v.*a'), false) as has_add_to_cart,
    coalesce(regexp_matches(steps, 'v.*a.*c'), false) as has_begin_checkout,
    coalesce(regexp_matches(steps, 'v.*a.*c.*p'), false) as has_purchase
from total
left join source on total.session_key = source.session_key
left join funnel on total.session_key = funnel.session_key
