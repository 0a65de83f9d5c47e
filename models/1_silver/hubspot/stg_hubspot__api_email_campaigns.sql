-- grain: one row per version of a HubSpot e-mail campaign, as its API gives it
{{ config(entity='campaign') }}

with email_campaigns as (
    select * from {{ source('hubspot', 'email_campaigns') }}
),

final as (
    select
        _raw_id,
        'email' as platform,
        'campaign' as level,
        '{{ source_name }}' as account_id,
        id as campaign_id,
        coalesce(name, subject) as campaign_name,
        type as campaign_type,
        subject,
        subtype as sub_type,
        appname as app_name,
        numincluded as recipient_count
    from email_campaigns
)

select * from final
