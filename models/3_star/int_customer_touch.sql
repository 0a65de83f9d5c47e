-- grain: one row per touch (session, marked activity) or conversion of a customer
{{ config(
    materialized='incremental',
    incremental_strategy='replace_key',
    unique_key='customer_key',
    keys_of={
        'int_session': 'bridge_identity.identity_node_id',
        'fct_journey_event': 'bridge_identity.identity_node_id'
    } if project.attribution.touches == 'session' else {
        'int_session': 'bridge_identity.identity_node_id',
        'int_event_touch': 'bridge_identity.identity_node_id',
        'fct_journey_event': 'bridge_identity.identity_node_id'
    },
    sort=['customer_key', 'event_at', 'is_conversion', 'touch_id', 'conversion_id'],
    range_by='customer_key',
    stats=['customer_key', 'event_at']
) }}

{%- set by_event = project.attribution.touches == 'event' %}

-- Narrow on purpose, and in the order that every per-customer pass needs.
with bridge as (
    select identity_node_id, customer_key, valid_from, valid_to from {{ ref('bridge_identity') }}
    where customer_key <> 0
),

session as (
    select
        session_id, session_started_at, identity_node_id, channel_key, campaign_key, is_direct
    from {{ ref('int_session_campaign') }}
    where
        not is_bot
        {%- if by_event %}
        -- Visits that come from somewhere are touches by their events.
        and is_direct
        {%- endif %}
),

-- Only what the source marks as a touch; a click in an e-mail already lands as a session.
touchpoint as (
    select event_id, event_at, identity_node_id, channel_key, campaign_name
    from {{ ref('fct_journey_event', part='record') }}
    where is_touchpoint and event_group = 'crm'
),

conversion as (
    select conversion_id, conversion_type, conversion_at, customer_key, revenue_amount
    from {{ ref('fct_conversion') }}
),

session_touch as (
    select
        bridge.customer_key,
        session.session_started_at as event_at,
        false as is_conversion,
        session.session_id as touch_id,
        'session' as touch_type,
        session.channel_key,
        session.campaign_key,
        session.is_direct,
        cast(null as bigint) as conversion_id,
        cast(null as text) as conversion_type,
        cast(null as decimal(18, 6)) as revenue_amount
    from session
    inner join bridge
        on
            session.identity_node_id = bridge.identity_node_id
            and session.session_started_at >= bridge.valid_from
            and session.session_started_at < bridge.valid_to
),

{%- if by_event %}

event_touch as (
    select
        bridge.customer_key,
        event.event_at,
        false as is_conversion,
        event.event_id as touch_id,
        'event' as touch_type,
        event.channel_key,
        {{ campaign_of_visit('event') }} as campaign_key,
        false as is_direct,
        cast(null as bigint) as conversion_id,
        cast(null as text) as conversion_type,
        cast(null as decimal(18, 6)) as revenue_amount
    from {{ ref('int_event_touch') }} as event
    inner join bridge
        on
            event.identity_node_id = bridge.identity_node_id
            and event.event_at >= bridge.valid_from
            and event.event_at < bridge.valid_to
    {{ campaign_alias_joins('event', 'event_at') }}
),
{%- endif %}

activity_touch as (
    select
        bridge.customer_key,
        touchpoint.event_at,
        false as is_conversion,
        touchpoint.event_id as touch_id,
        'activity' as touch_type,
        case
            when touchpoint.channel_key = -1 then {{ channel_key("'Unassigned'") }}
            else touchpoint.channel_key
        end as channel_key,
        coalesce(
            campaign_alias.campaign_key,
            case when touchpoint.campaign_name is null then -1 else 0 end
        ) as campaign_key,
        false as is_direct,
        cast(null as bigint) as conversion_id,
        cast(null as text) as conversion_type,
        cast(null as decimal(18, 6)) as revenue_amount
    from touchpoint
    inner join bridge
        on
            touchpoint.identity_node_id = bridge.identity_node_id
            and touchpoint.event_at >= bridge.valid_from
            and touchpoint.event_at < bridge.valid_to
    left join {{ ref('bridge_campaign_alias') }} as campaign_alias
        on
            {{ campaign_alias_key('name', "'*'", 'touchpoint.campaign_name') }}
            = campaign_alias.alias_key
            and touchpoint.event_at >= campaign_alias.valid_from
            and touchpoint.event_at < campaign_alias.valid_to
),

conversion_row as (
    select
        customer_key,
        conversion_at as event_at,
        true as is_conversion,
        cast(null as bigint) as touch_id,
        cast(null as text) as touch_type,
        cast(null as bigint) as channel_key,
        cast(null as bigint) as campaign_key,
        false as is_direct,
        conversion_id,
        conversion_type,
        revenue_amount
    from conversion
),

final as (
    select * from session_touch
    union all
    {%- if by_event %}
    select * from event_touch
    union all
    {%- endif %}
    select * from activity_touch
    union all
    select * from conversion_row
)

select * from final
