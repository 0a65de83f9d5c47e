-- grain: one row per version of a HubSpot e-mail campaign
{{ config(entity='campaign') }}

with email_campaign as (
    select * from {{ source('hubspot', 'email_campaign') }}
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
        sub_type,
        app_name,
        num_included as recipient_count
    from email_campaign
)

select * from final
