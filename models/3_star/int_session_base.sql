-- grain: one row per web session that starts on the UTC day event_date
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date',
    lookahead=1,
    sort=['anonymous_node_id', 'session_started_at']
) }}

-- A session belongs to the day it starts on; its events may go on into the next day.
with session_total as (
    select
        session_id,
        min(session_started_at) as session_started_at,
        max(event_at) as session_ended_at,
        min(anonymous_node_id) as anonymous_node_id,
        max(case when session_event_index = 1 then identity_node_id end) as first_identity_node_id,
        max(session_number) as session_number,
        max(case when session_event_index = 1 then page_key end) as landing_page_key,
        max(case when session_event_index = 1 then device_key end) as device_key,
        max(case when session_event_index = 1 then geo_key end) as geo_key,
        max(case when session_event_index = 1 then source_name end) as source_name,
        max(consent_analytics) as consent_analytics,
        max(consent_ads) as consent_ads,
        count(*) as event_count,
        sum(case when event_type in ('page_view', 'screen_view') then 1 else 0 end)
            as page_view_count,
        sum(case when event_type in ({{ conversion_event_names() }}) then 1 else 0 end)
            as conversion_count,
        sum(coalesce(engagement_msec, 0)) as engagement_msec,
        count(engagement_msec) as engagement_count,
        bool_or(is_engaged) as is_engaged,
        bool_or(is_bot) as is_bot,
        bool_or(event_type in ('first_visit', 'first_open')) as is_first_visit
    from {{ ref('fct_journey_event', part='web') }}
    where session_id is not null
    group by session_id
),

-- The session's source is that of its first event that brings one.
source_event as (
    select
        session_id,
        session_event_index,
        source,
        medium,
        campaign_name,
        term,
        content,
        utm_id,
        click_id,
        click_id_type,
        source_resolution,
        referrer_host,
        channel_key
    from {{ ref('fct_journey_event', part='web') }}
    where session_id is not null and source_resolution is not null
),

session_source as (
    select
        *,
        row_number() over (partition by session_id order by session_event_index) as place
    from source_event
),

-- The strongest identifier on any of its events, the first of equals.
identified_event as (
    select
        session_id,
        session_event_index,
        identity_node_id,
        identity_node_type,
        case identity_node_type
            when 'user' then 1
            when 'email' then 2
            when 'phone' then 3
            else 4
        end
            as strength
    from {{ ref('fct_journey_event', part='web') }}
    where session_id is not null and identity_node_type in ('user', 'email', 'phone', 'order')
),

session_identity as (
    select
        *,
        row_number() over (partition by session_id order by strength, session_event_index) as place
    from identified_event
),

-- The shop's funnel in order: a step counts when it comes after the step before it.
shop_event as (
    select session_id, session_event_index, event_type
    from {{ ref('fct_journey_event', part='web') }}
    where
        session_id is not null
        and event_type in (
            'view_item', 'add_to_cart', 'begin_checkout', {{ purchase_event_names() }}
        )
),

viewed as (
    select
        *,
        min(case when event_type = 'view_item' then session_event_index end)
            over (partition by session_id) as view_index
    from shop_event
),

carted as (
    select
        *,
        min(case
            when event_type = 'add_to_cart' and session_event_index > view_index
                then session_event_index
        end) over (partition by session_id) as cart_index
    from viewed
),

checked_out as (
    select
        *,
        min(case
            when event_type = 'begin_checkout' and session_event_index > cart_index
                then session_event_index
        end) over (partition by session_id) as checkout_index
    from carted
),

session_funnel as (
    select
        session_id,
        bool_or(view_index is not null) as has_view_item,
        bool_or(cart_index is not null) as has_add_to_cart,
        bool_or(checkout_index is not null) as has_begin_checkout,
        bool_or(
            event_type in ({{ purchase_event_names() }}) and session_event_index > checkout_index
        ) as has_purchase
    from checked_out
    group by session_id
),

final as (
    select
        session_total.session_id,
        cast(session_total.session_started_at as date) as event_date,
        {{ reporting_date('session_total.session_started_at') }} as reporting_date,
        session_total.session_started_at,
        session_total.session_ended_at,
        session_total.anonymous_node_id,
        coalesce(session_identity.identity_node_id, session_total.first_identity_node_id, 0)
            as identity_node_id,
        coalesce(session_identity.identity_node_type, 'device') as identity_node_type,
        session_total.session_number,
        session_total.landing_page_key,
        session_total.device_key,
        session_total.geo_key,
        coalesce(session_source.channel_key, {{ channel_key("'Direct'") }}) as channel_key,
        session_total.source_name,
        coalesce(session_source.source, '(direct)') as source,
        coalesce(session_source.medium, '(none)') as medium,
        coalesce(session_source.campaign_name, '(not set)') as campaign_name,
        session_source.term,
        session_source.content,
        session_source.utm_id,
        session_source.click_id,
        session_source.click_id_type,
        coalesce(session_source.source_resolution, 'direct') as source_resolution,
        session_source.referrer_host,
        session_total.consent_analytics,
        session_total.consent_ads,
        cast(session_total.event_count as bigint) as event_count,
        cast(session_total.page_view_count as bigint) as page_view_count,
        cast(session_total.conversion_count as bigint) as conversion_count,
        cast(session_total.engagement_msec as bigint) as engagement_msec,
        cast(
            date_part('epoch', session_total.session_ended_at)
            - date_part('epoch', session_total.session_started_at) as bigint
        ) as duration_seconds,
        -- Engaged as GA4 says it: long enough, a conversion, or pages enough. Where the tracker
        -- measures no engagement, a session is as long as from its first event to its last. The
        -- tracker's own mark is GA4's definition, so it counts only while this is ours too.
        {% if [project.sessions.engaged_seconds, project.sessions.engaged_page_views] == [10, 2] -%}
        session_total.is_engaged
        or session_total.conversion_count > 0
        {%- else -%}
        session_total.conversion_count > 0
        {%- endif %}
        or session_total.page_view_count >= {{ project.sessions.engaged_page_views }}
        or case
            when session_total.engagement_count > 0 then session_total.engagement_msec
            else (
                date_part('epoch', session_total.session_ended_at)
                - date_part('epoch', session_total.session_started_at)
            ) * 1000
        end > {{ project.sessions.engaged_seconds * 1000 }} as is_engaged,
        session_total.is_bot,
        case
            when session_total.is_first_visit then true
            when session_total.session_number is not null then session_total.session_number = 1
        end as is_new_visitor,
        coalesce(session_source.source_resolution, 'direct') = 'direct' as is_direct,
        coalesce(session_funnel.has_view_item, false) as has_view_item,
        coalesce(session_funnel.has_add_to_cart, false) as has_add_to_cart,
        coalesce(session_funnel.has_begin_checkout, false) as has_begin_checkout,
        coalesce(session_funnel.has_purchase, false) as has_purchase
    from session_total
    left join session_source
        on session_total.session_id = session_source.session_id and session_source.place = 1
    left join session_identity
        on session_total.session_id = session_identity.session_id and session_identity.place = 1
    left join session_funnel on session_total.session_id = session_funnel.session_id
)

select * from final
