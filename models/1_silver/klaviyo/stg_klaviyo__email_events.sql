-- grain: one row per thing that happened to an e-mail
-- Klaviyo keeps all events in one table. Messages of other kinds have a model of their own; what a
-- shop or a website sent to Klaviyo is known from there.
{{ config(entity='email_event', rows='some') }}

with event as (
    select
        *,
        case lower(type)
            when 'received email' then 'delivered'
            when 'opened email' then 'open'
            when 'clicked email' then 'click'
            when 'bounced email' then 'bounce'
            when 'dropped email' then 'dropped'
            when 'marked email as spam' then 'spam'
            when 'unsubscribed' then 'unsubscribe'
            when 'unsubscribed from email marketing' then 'unsubscribe'
            when 'unsubscribed from list' then 'unsubscribe_list'
            when 'subscribed to email marketing' then 'subscribe'
            when 'subscribed to list' then 'subscribe_list'
        end as event_type,
        coalesce(property_url, propertyurl) as link_url
    from {{ source('klaviyo', 'event') }}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        coalesce(datetime, timestamp) as event_at,
        event_type,
        person_id as contact_id,
        -- A message comes of a campaign or of a flow.
        coalesce(campaign_id, flow_id) as campaign_id,
        coalesce(property_campaign_name, propertycampaignname) as campaign_name,
        coalesce(property_subject, propertysubject) as subject,
        link_url,
        -- Clicks of scanners, and opens by mail programs that open everything, as Apple's do.
        coalesce(
            property_bot_click, propertybotclick, property_machine_open, propertymachineopen
        ) as is_bot,
        url_param(link_url, 'utm_source') as utm_source,
        url_param(link_url, 'utm_medium') as utm_medium,
        url_param(link_url, 'utm_campaign') as utm_campaign,
        url_param(link_url, 'utm_term') as utm_term,
        url_param(link_url, 'utm_content') as utm_content,
        url_param(link_url, 'utm_id') as utm_id,
        flow_id,
        flow_message_id,
        _variation as variation_id,
        coalesce(property_message_name, propertymessagename) as message_name,
        coalesce(property_bounce_type, propertybouncetype) as bounce_type,
        coalesce(property_list, propertylist) as list_name,
        coalesce(property_client_type, propertyclienttype) as client_type,
        metric_id,
        _fivetran_deleted as is_deleted
    from event
    where event_type is not null
)

select * from final
