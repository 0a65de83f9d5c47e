-- grain: one row per thing that a member did with a campaign
-- The table has no id: what tells two rows apart makes one.
{{ config(entity='email_event') }}

with activity as (
    select * from {{ source('mailchimp', 'campaign_recipient_activity') }}
),

final as (
    select
        _raw_id,
        text_digest('campaign', campaign_id, list_id, member_id, action, timestamp, url)
            as email_event_id,
        timestamp as event_at,
        lower(action) as event_type,
        concat(coalesce(list_id || '-', ''), member_id) as contact_id,
        campaign_id,
        url as link_url,
        url_param(url, 'utm_source') as utm_source,
        url_param(url, 'utm_medium') as utm_medium,
        url_param(url, 'utm_campaign') as utm_campaign,
        url_param(url, 'utm_term') as utm_term,
        url_param(url, 'utm_content') as utm_content,
        url_param(url, 'utm_id') as utm_id,
        bounce_type,
        list_id,
        combination_id
    from activity
)

select * from final
