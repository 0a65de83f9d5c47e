-- grain: one row per thing that happened to an e-mail, as HubSpot's API gives it
{{ config(entity='email_event') }}
{%- set has_campaigns = 'email_campaigns' in project.sources[source_name].streams %}

with email_events as (
    select * from {{ source('hubspot', 'email_events') }}
),
{%- if has_campaigns %}

{{ hubspot_email_campaign_names('email_campaigns', '_effective_at') }},
{%- endif %}

-- HubSpot filters what came from machines and from the company's own network.
final as (
    select
        email_events._raw_id,
        email_events.id as email_event_id,
        created as event_at,
        case
            when upper(type) = 'SPAMREPORT' then 'spam'
            when upper(type) <> 'STATUSCHANGE' then lower(type)
            when upper(portalsubscriptionstatus) = 'UNSUBSCRIBED' then 'unsubscribe'
            when upper(portalsubscriptionstatus) = 'SUBSCRIBED' then 'subscribe'
            else 'status_change'
        end as event_type,
        recipient as email,
        emailcampaignid as campaign_id,
        {%- if has_campaigns %}
        campaign_name.campaign_name,
        {%- endif %}
        subject,
        url as link_url,
        filteredevent as is_bot,
        url_param(url, 'utm_source') as utm_source,
        url_param(url, 'utm_medium') as utm_medium,
        url_param(url, 'utm_campaign') as utm_campaign,
        appid as app_id,
        json_text(causedby, 'id') as caused_by_id,
        json_text(sentby, 'id') as sent_by_id,
        json_text(obsoletedby, 'id') as obsoleted_by_id,
        coalesce(dropreason, category) as reason
    from email_events
    {%- if has_campaigns %}
    left join campaign_name on email_events.emailcampaignid = campaign_name.id
    {%- endif %}
)

select * from final
