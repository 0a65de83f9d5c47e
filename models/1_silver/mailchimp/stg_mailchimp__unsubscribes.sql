-- grain: one row per member who left a list
{{ config(entity='email_event') }}

with unsubscribe as (
    select * from {{ source('mailchimp', 'unsubscribe') }}
),

final as (
    select
        _raw_id,
        text_digest('unsubscribe', campaign_id, list_id, member_id, timestamp) as email_event_id,
        timestamp as event_at,
        'unsubscribe' as event_type,
        concat(coalesce(list_id || '-', ''), member_id) as contact_id,
        -- A campaign, or an e-mail of an automation.
        campaign_id,
        reason,
        list_id
    from unsubscribe
)

select * from final
