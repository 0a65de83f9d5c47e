-- grain: one row per clicked link
-- It promises no entity: its time and recipient stand in email_event, under the same id.
{{ config(materialized='table', rows='one') }}

with email_event_click as (
    select * from {{ source('hubspot', 'email_event_click') }}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        url as link_url,
        referer as referrer_url,
        user_agent
    from email_event_click
)

select * from final
