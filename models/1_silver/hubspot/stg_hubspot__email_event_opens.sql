-- grain: one row per opened message
-- It promises no entity: its time and recipient stand in email_event, under the same id.
{{ config(materialized='table', rows='one') }}

with email_event_open as (
    select * from {{ source('hubspot', 'email_event_open') }}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        duration as duration_milliseconds,
        user_agent
    from email_event_open
)

select * from final
