-- grain: one row per version of a Mailchimp automation
-- It promises no entity: its e-mails are the campaigns.
{{ config(materialized='table', rows='one') }}

with automation as (
    select * from {{ source('mailchimp', 'automation') }}
),

final as (
    select
        _raw_id,
        id as automation_id,
        title as automation_name,
        status,
        json_text(trigger_settings, 'workflow_type') as trigger_type,
        list_id,
        segment_id,
        create_time as created_at,
        start_time as started_at,
        _fivetran_deleted as is_deleted
    from automation
)

select * from final
