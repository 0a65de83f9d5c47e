-- grain: one row per campaign and member to whom it was sent
-- The table has no time: a campaign goes to everybody at the time at which it was sent.
{{ config(entity='email_event') }}

with campaign_recipient as (
    select * from {{ source('mailchimp', 'campaign_recipient') }}
),

campaign_version as (
    select
        id,
        send_time,
        title,
        subject_line,
        row_number() over (
            partition by id order by _fivetran_synced desc nulls last, _raw_id desc
        ) as place
    from {{ source('mailchimp', 'campaign') }}
),

campaign as (
    select * from campaign_version
    where place = 1
),

final as (
    select
        campaign_recipient._raw_id,
        concat_ws(
            '-',
            'sent',
            campaign_recipient.campaign_id,
            campaign_recipient.list_id,
            campaign_recipient.member_id
        ) as email_event_id,
        campaign.send_time as event_at,
        'sent' as event_type,
        concat(
            coalesce(campaign_recipient.list_id || '-', ''), campaign_recipient.member_id
        ) as contact_id,
        campaign_recipient.campaign_id,
        campaign.title as campaign_name,
        campaign.subject_line as subject,
        campaign_recipient.list_id,
        campaign_recipient.combination_id
    from campaign_recipient
    left join campaign on campaign_recipient.campaign_id = campaign.id
)

select * from final
