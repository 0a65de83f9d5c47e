-- grain: one row per lifecycle stage that a contact came into, from the dates kept on the contact
{{ config(entity='activity', rows='many') }}

with contact as (
    select * from {{ source('hubspot', 'contact') }}
),

{{ hubspot_stage_dates('contact', by_fivetran=true) }}

select * from final
