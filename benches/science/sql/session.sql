-- Sessions cut by pauses of more than 30 minutes.
with web_event as (
    select
        anonymous_node_id as device_key,
        event_at,
        event_id,
        event_type,
        engagement_msec
    from read_parquet({fct_journey_event})
    where event_group = 'web' and anonymous_node_id <> 0
),

marked as (
    select
        *,
        coalesce(event_at - lag(event_at) over device > interval '30 minutes', true) as is_start
    from web_event
    window device as (partition by device_key order by event_at, event_id)
),

numbered as (
    select
        *,
        sum(is_start::int) over (
            partition by device_key order by event_at, event_id rows unbounded preceding
        ) as session_number
    from marked
)

select
    device_key,
    min(event_at) as started_at,
    max(event_at) as ended_at,
    count(*) as event_count,
    sum((event_type = 'page_view')::int) as page_view_count,
    sum(engagement_msec) as engagement_msec,
    max(event_type) filter (is_start) as first_event_type
from numbered
group by device_key, session_number
