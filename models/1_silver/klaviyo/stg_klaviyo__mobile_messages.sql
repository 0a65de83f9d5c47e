-- grain: one row per thing that happened to a text message or a push message
-- No e-mail, so an activity. It is no touch of its own, as with e-mails: a click leads to a visit.
{{ config(entity='activity', rows='some') }}

with event as (
    select
        *,
        case lower(type)
            when 'received sms' then 'sms_delivered'
            when 'clicked sms' then 'sms_click'
            when 'failed to deliver sms' then 'sms_bounce'
            -- The profile wrote to the company.
            when 'sent sms' then 'sms_reply'
            when 'subscribed to sms marketing' then 'sms_subscribe'
            when 'consented to receive sms' then 'sms_subscribe'
            when 'unsubscribed from sms marketing' then 'sms_unsubscribe'
            when 'unsubscribed from sms' then 'sms_unsubscribe'
            when 'received push' then 'push_delivered'
            when 'opened push' then 'push_open'
            when 'bounced push' then 'push_bounce'
        end as activity_type,
        coalesce(property_url, propertyurl) as link_url
    from {{ source('klaviyo', 'event') }}
),

final as (
    select
        _raw_id,
        id as activity_id,
        coalesce(datetime, timestamp) as activity_at,
        activity_type,
        coalesce(property_message_name, propertymessagename) as subject,
        person_id as contact_id,
        coalesce(property_campaign_name, propertycampaignname) as campaign_name,
        'klaviyo' as source,
        split_part(activity_type, '_', 1) as medium,
        false as is_touchpoint,
        coalesce(campaign_id, flow_id) as campaign_id,
        link_url,
        url_param(link_url, 'utm_source') as utm_source,
        url_param(link_url, 'utm_medium') as utm_medium,
        url_param(link_url, 'utm_campaign') as utm_campaign,
        url_param(link_url, 'utm_term') as utm_term,
        url_param(link_url, 'utm_content') as utm_content,
        url_param(link_url, 'utm_id') as utm_id,
        flow_id,
        flow_message_id,
        _variation as variation_id,
        coalesce(property_failure_type, propertyfailuretype) as failure_type,
        metric_id,
        _fivetran_deleted as is_deleted
    from event
    where activity_type is not null
)

select * from final
