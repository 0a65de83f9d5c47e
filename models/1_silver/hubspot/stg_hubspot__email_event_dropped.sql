-- grain: one row per message that was not sent
-- It promises no entity: its time and recipient stand in email_event, under the same id.
{{ config(materialized='table', rows='one') }}

with email_event_dropped as (
    select * from {{ source('hubspot', 'email_event_dropped') }}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        drop_reason
    from email_event_dropped
)

select * from final
