-- grain: one row per version of a Mailchimp campaign
{{ config(entity='campaign') }}

with campaign as (
    select * from {{ source('mailchimp', 'campaign') }}
),

final as (
    select
        _raw_id,
        'email' as platform,
        'campaign' as level,
        '{{ source_name }}' as account_id,
        id as campaign_id,
        coalesce(title, subject_line) as campaign_name,
        status,
        type as campaign_type,
        substr(send_time, 1, 10) as start_date,
        -- What Mailchimp writes into utm_campaign of its links, where tracking is switched on.
        google_analytics as utm_campaign,
        _fivetran_deleted as is_deleted,
        subject_line as subject,
        send_time as sent_at,
        list_id,
        segment_id,
        winning_campaign_id,
        create_time as created_at
    from campaign
)

select * from final
