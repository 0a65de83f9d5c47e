-- grain: one row per UTC day, source and identifier, or pair of identifiers, seen on web events
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date',
    sort=['a_node_key', 'b_node_key']
) }}

-- What a day's events say of who is who, small: days that did not change are never read again.
with web_identifiers as (
    select
        event_date,
        source_name,
        anonymous_id,
        user_id,
        email_hash,
        phone_hash,
        {{ order_reference('order_id') }} as order_reference,
        gclid,
        min(event_at) as first_at,
        max(event_at) as last_at,
        count(*) as evidence_count,
        min(_raw_id) as evidence_raw_id
    from {{ entity('web_event') }}
    group by
        event_date, source_name, anonymous_id, user_id, email_hash, phone_hash,
        {{ order_reference('order_id') }}, gclid
),

-- Most rows know only the device: those must stay cheap.
evidence as (
    select
        event_date,
        source_name,
        first_at,
        last_at,
        evidence_count,
        evidence_raw_id,
        unnest(case
            when coalesce(user_id, email_hash, phone_hash, order_reference, gclid) is null
                then make_array({{ evidence('device', 'anonymous_id') }})
            else make_array(
                {{ evidence('device', 'anonymous_id') }},
                {{ evidence('user', 'user_id') }},
                {{ evidence('email', 'email_hash') }},
                {{ evidence('phone', 'phone_hash') }},
                {{ evidence('order', 'order_reference') }},
                {{ evidence('device', 'anonymous_id', 'user', 'user_id') }},
                {{ evidence('device', 'anonymous_id', 'email', 'email_hash') }},
                {{ evidence('device', 'anonymous_id', 'phone', 'phone_hash') }},
                {{ evidence('device', 'anonymous_id', 'order', 'order_reference') }},
                {{ evidence('user', 'user_id', 'email', 'email_hash') }},
                {{ evidence('user', 'user_id', 'phone', 'phone_hash') }},
                {{ evidence('user', 'user_id', 'order', 'order_reference') }},
                {{ evidence('email', 'email_hash', 'phone', 'phone_hash') }},
                {{ evidence('email', 'email_hash', 'order', 'order_reference') }},
                {{ evidence('phone', 'phone_hash', 'order', 'order_reference') }},
                {{ evidence('click', 'gclid', 'device', 'anonymous_id') }}
            )
        end) as pair
    from web_identifiers
),

flat as (
    select
        event_date,
        source_name,
        pair['a_type'] as a_type,
        pair['a_value'] as a_value,
        pair['b_type'] as b_type,
        pair['b_value'] as b_value,
        first_at,
        last_at,
        evidence_count,
        evidence_raw_id
    from evidence
),

final as (
    select
        event_date,
        source_name,
        durable_key('node', a_type, a_value) as a_node_key,
        a_type,
        case when b_type is not null then durable_key('node', b_type, b_value) end as b_node_key,
        b_type,
        -- Kept for single identifiers only: a pair is found by its two keys.
        min(case when b_type is null then a_value end) as a_value,
        min(first_at) as first_at,
        max(last_at) as last_at,
        cast(sum(evidence_count) as bigint) as evidence_count,
        min(evidence_raw_id) as evidence_raw_id
    from flat
    where
        a_value is not null
        and not is_blocked_identifier({{ guarded_type('a_type') }}, a_value)
        and (
            b_type is null
            or (b_value is not null and not is_blocked_identifier(b_type, b_value))
        )
    group by
        event_date,
        source_name,
        durable_key('node', a_type, a_value),
        a_type,
        case when b_type is not null then durable_key('node', b_type, b_value) end,
        b_type
)

select * from final
