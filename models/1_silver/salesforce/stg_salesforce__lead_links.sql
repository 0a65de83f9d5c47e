-- grain: one row per lead that became a contact or was merged, and per further address of a lead
{{ config(entity='identity_link', rows='many') }}

with lead as (
    select * from {{ source('salesforce', 'lead') }}
),

{{ salesforce_lead_links('lead') }}

select * from final
