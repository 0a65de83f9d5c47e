-- grain: one row per sent message
-- It promises no entity: its time and recipient stand in email_event, under the same id.
{{ config(materialized='table', rows='one') }}

with email_event_sent as (
    select * from {{ source('hubspot', 'email_event_sent') }}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        subject
    from email_event_sent
)

select * from final
