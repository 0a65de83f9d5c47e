-- grain: one row per message that was put off
-- It promises no entity: its time and recipient stand in email_event, under the same id.
{{ config(materialized='table', rows='one') }}

with email_event_deferred as (
    select * from {{ source('hubspot', 'email_event_deferred') }}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        attempt
    from email_event_deferred
)

select * from final
