-- grain: one row per version of an e-mail of a Mailchimp automation
{{ config(entity='campaign') }}

with automation_email as (
    select * from {{ source('mailchimp', 'automation_email') }}
),

-- It sends messages as a campaign does; events name the one or the other.
final as (
    select
        _raw_id,
        'email' as platform,
        'campaign' as level,
        '{{ source_name }}' as account_id,
        id as campaign_id,
        coalesce(title, subject_line) as campaign_name,
        status,
        'automation' as campaign_type,
        substr(start_time, 1, 10) as start_date,
        -- What Mailchimp writes into utm_campaign of its links, where tracking is switched on.
        google_analytics as utm_campaign,
        _fivetran_deleted as is_deleted,
        automation_id,
        subject_line as subject,
        position as email_place,
        create_time as created_at
    from automation_email
)

select * from final
