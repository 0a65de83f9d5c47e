-- grain: one row per delivered message
-- It promises no entity: its time and recipient stand in email_event, under the same id.
{{ config(materialized='table', rows='one') }}

with email_event_delivered as (
    select * from {{ source('hubspot', 'email_event_delivered') }}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        smtp_id
    from email_event_delivered
)

select * from final
