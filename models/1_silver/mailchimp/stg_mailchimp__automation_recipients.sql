-- grain: one row per e-mail of an automation and member to whom it was sent
-- It promises no entity: nobody says when it was sent to whom.
{{ config(materialized='table', rows='one') }}

with automation_recipient as (
    select * from {{ source('mailchimp', 'automation_recipient') }}
),

final as (
    select
        _raw_id,
        automation_email_id as campaign_id,
        '{{ source_name }}:' || concat(coalesce(list_id || '-', ''), member_id) as contact_id,
        list_id
    from automation_recipient
)

select * from final
