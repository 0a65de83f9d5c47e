-- grain: one row per role of a contact in a Salesforce opportunity
{{ config(entity='deal_contact') }}

with opportunity_contact_role as (
    select * from {{ source('salesforce', 'opportunity_contact_role') }}
),

{{ salesforce_deal_contacts('opportunity_contact_role') }}

select * from final
