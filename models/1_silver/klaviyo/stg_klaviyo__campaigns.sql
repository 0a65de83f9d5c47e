-- grain: one row per version of a Klaviyo campaign
{{ config(entity='campaign') }}

with campaign as (
    select * from {{ source('klaviyo', 'campaign') }}
),

final as (
    select
        _raw_id,
        'email' as platform,
        'campaign' as level,
        '{{ source_name }}' as account_id,
        id as campaign_id,
        coalesce(name, subject) as campaign_name,
        coalesce(status, status_label) as status,
        campaign_type,
        -- The day on which it was sent, or is to be.
        substr(coalesce(sent_at, send_time, scheduled), 1, 10) as start_date,
        _fivetran_deleted as is_deleted,
        subject,
        sent_at,
        archived as is_archived,
        email_template_id as template_id,
        created as created_at
    from campaign
)

select * from final
