-- grain: one row per version of a Salesforce contact in its history
-- The stream may also be Salesforce's own ContactHistory: those rows name the contact in
-- `contact_id`, and another model takes them.
{{ config(entity='contact', rows='some') }}

with contact_history as (
    select * from {{ source('salesforce', 'contact_history') }}
    where contact_id is null
),

{{ salesforce_contacts('contact_history') }}

select * from final
