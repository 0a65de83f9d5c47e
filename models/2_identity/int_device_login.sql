-- grain: one row per UTC day, device and instant at which somebody else logs in
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date',
    sort=['device_node_key', 'logged_in_at']
) }}

-- Small: of a day that one person spends on a device, the first event is left.
with web_event as (
    select
        event_date,
        event_at,
        {{ node_key('device', 'anonymous_id') }} as device_node_key,
        coalesce(
            {{ node_key('user', 'user_id') }}, {{ node_key('email', 'email_hash') }}
        ) as person_node_key
    from {{ entity('web_event') }}
    where user_id is not null or email_hash is not null
),

-- Of two who are there at one instant it is always the same one.
instant as (
    select event_date, device_node_key, event_at, min(person_node_key) as person_node_key
    from web_event
    where device_node_key is not null and person_node_key is not null
    group by event_date, device_node_key, event_at
),

marked as (
    select
        *,
        lag(person_node_key) over (
            partition by event_date, device_node_key order by event_at
        ) as person_before
    from instant
),

final as (
    select event_date, device_node_key, event_at as logged_in_at, person_node_key
    from marked
    where person_before is null or person_before <> person_node_key
)

select * from final
