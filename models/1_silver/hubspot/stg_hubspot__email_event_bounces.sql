-- grain: one row per message that came back
-- It promises no entity: its time and recipient stand in email_event, under the same id.
{{ config(materialized='table', rows='one') }}

with email_event_bounce as (
    select * from {{ source('hubspot', 'email_event_bounce') }}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        category,
        status
    from email_event_bounce
)

select * from final
