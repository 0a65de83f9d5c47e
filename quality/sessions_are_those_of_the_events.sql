-- As many sessions as distinct session ids of events, and as many events in them.
{{ config(severity='error') }}

with of_events as (
    select count(distinct session_id) as session_count, count(session_id) as event_count
    from {{ ref('fct_journey_event') }}
),

of_sessions as (
    select
        count(*) as session_count,
        count(distinct session_id) as distinct_count,
        coalesce(sum(event_count), 0) as event_count
    from {{ ref('fct_session') }}
)

select
    of_events.session_count as sessions_of_events,
    of_sessions.session_count,
    of_sessions.distinct_count,
    of_events.event_count as events_in_sessions,
    of_sessions.event_count
from of_events
cross join of_sessions
where
    of_events.session_count <> of_sessions.session_count
    or of_sessions.distinct_count <> of_sessions.session_count
    or of_events.event_count <> of_sessions.event_count
