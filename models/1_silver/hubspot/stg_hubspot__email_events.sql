-- grain: one row per thing that happened to an e-mail
-- What a link, a subject or a subscription was stands in tables of its own, under the same id: they
-- are looked up where they are there.
{{ config(entity='email_event') }}
{%- set streams = project.sources[source_name].streams %}
{%- set details = {
    'email_event_click': 'url',
    'email_event_sent': 'subject',
    'email_event_status_change': 'portal_subscription_status'
} %}

with email_event as (
    select * from {{ source('hubspot', 'email_event') }}
),
{%- for stream, column in details | items if stream in streams %}

{{ stream }} as (
    select
        id,
        {{ column }},
        row_number() over (
            partition by id order by _fivetran_synced desc nulls last, _raw_id desc
        ) as place
    from {{ source('hubspot', stream) }}
),
{%- endfor %}
{%- if 'email_campaign' in streams %}

{{ hubspot_email_campaign_names('email_campaign', '_fivetran_synced') }},
{%- endif %}

detailed as (
    select
        email_event.*,
        {{ 'campaign_name.campaign_name' if 'email_campaign' in streams
            else 'cast(null as text)' }} as campaign_name
        {%- for stream, column in details | items %},
        {{ stream ~ '.' ~ column if stream in streams else 'cast(null as text)' }} as {{ column }}
        {%- endfor %}
    from email_event
    {%- for stream, column in details | items if stream in streams %}
    left join {{ stream }} on email_event.id = {{ stream }}.id and {{ stream }}.place = 1
    {%- endfor %}
    {%- if 'email_campaign' in streams %}
    left join campaign_name on email_event.email_campaign_id = campaign_name.id
    {%- endif %}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        created as event_at,
        case
            when upper(type) = 'SPAMREPORT' then 'spam'
            when upper(type) <> 'STATUSCHANGE' then lower(type)
            when upper(portal_subscription_status) = 'UNSUBSCRIBED' then 'unsubscribe'
            when upper(portal_subscription_status) = 'SUBSCRIBED' then 'subscribe'
            else 'status_change'
        end as event_type,
        recipient as email,
        email_campaign_id as campaign_id,
        campaign_name,
        subject,
        url as link_url,
        -- HubSpot filters what came from machines and from the company's own network.
        filtered_event as is_bot,
        url_param(url, 'utm_source') as utm_source,
        url_param(url, 'utm_medium') as utm_medium,
        url_param(url, 'utm_campaign') as utm_campaign,
        app_id,
        caused_by_id,
        sent_by_id,
        obsoleted_by_id
    from detailed
)

select * from final
