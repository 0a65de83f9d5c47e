-- grain: one row per forwarded message
-- It promises no entity: its time and recipient stand in email_event, under the same id.
{{ config(materialized='table', rows='one') }}

with email_event_forward as (
    select * from {{ source('hubspot', 'email_event_forward') }}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        user_agent
    from email_event_forward
)

select * from final
