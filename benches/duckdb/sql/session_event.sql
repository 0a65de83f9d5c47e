-- Session of each event in scope, on narrow columns: the tracker's own session id decides; an event
-- without one belongs to the latest session of its device, unless a pause of more than 30 minutes,
-- or a break that `session_break` names (24 hours), lies before it.
with event as (
    select event_hash, event_at, event_sequence, session_node, native_key
    from scope_event
    where session_node is not null
),

-- Devices with events outside the tracker's sessions are few: only they are walked in order.
loose_node as (
    select distinct session_node from event where native_key is null
),

walked as (
    select
        *,
        native_key is null
        and (
            event_at - lag(event_at) over in_order > interval '30 minutes'
            or lag(event_at) over in_order is null
            or event_hash in (from session_break)
        ) as is_opening
    from event
    where session_node in (from loose_node)
    window in_order as (partition by session_node order by event_at, event_sequence, event_hash)
),

loose as (
    select
        event_hash,
        event_at,
        event_sequence,
        last_value(coalesce(
            native_key, case when is_opening then hash(session_node, event_hash) end
        ) ignore nulls) over (
            partition by session_node order by event_at, event_sequence, event_hash
            rows between unbounded preceding and current row
        ) as session_key
    from walked
),

keyed as (
    select event_hash, event_at, event_sequence, native_key as session_key
    from event
    where session_node not in (from loose_node)
    union all
    select event_hash, event_at, event_sequence, session_key from loose
)

select
    event_hash,
    session_key,
    row_number() over (partition by session_key order by event_at, event_sequence, event_hash)::int
        as session_event_index
from keyed
