-- grain: one row per change of a subscription
-- It promises no entity: its time and recipient stand in email_event, under the same id.
{{ config(materialized='table', rows='one') }}

with email_event_status_change as (
    select * from {{ source('hubspot', 'email_event_status_change') }}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        bounced as is_bounced,
        portal_subscription_status as subscription_status,
        source as change_source
    from email_event_status_change
)

select * from final
