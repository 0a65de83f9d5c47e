-- grain: one row per session, cut by pauses alone
{{ config(materialized='table') }}

with web_event as (
    select
        anonymous_node_id as device_key,
        event_at,
        event_id as event_sequence,
        '' as event_id,
        event_type,
        engagement_msec
    from {{ ref('fct_journey_event', part='web') }}
    where anonymous_node_id <> 0
),

final as (
    select
        min(device_key) as device_key,
        min(event_at) as started_at,
        max(event_at) as ended_at,
        count(*) as event_count,
        sum(case when event_type = 'page_view' then 1 else 0 end) as page_view_count,
        sum(engagement_msec) as engagement_msec,
        max(case when session_event_index = 1 then event_type end) as first_event_type
    from sessionize((select * from web_event))
    group by session_key
)

select * from final
