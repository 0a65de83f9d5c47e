-- grain: one row per thing that happened to an e-mail
{{ config(entity='email_event') }}

with email_event as (
    select * from {{ source('hubspot', 'email_event') }}
),

final as (
    select
        _raw_id,
        id as email_event_id,
        created as event_at,
        case upper(type)
            when 'SPAMREPORT' then 'spam'
            when 'STATUSCHANGE' then 'status_change'
            else lower(type)
        end as event_type,
        recipient as email,
        email_campaign_id as campaign_id,
        -- HubSpot filters what came from machines and from the company's own network.
        filtered_event as is_bot,
        app_id,
        caused_by_id,
        sent_by_id,
        obsoleted_by_id
    from email_event
)

select * from final
