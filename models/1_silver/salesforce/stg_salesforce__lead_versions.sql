-- grain: one row per version of a Salesforce lead in its history
-- The stream may also be Salesforce's own LeadHistory: those rows name the lead in
-- `lead_id`, and another model takes them.
{{ config(entity='lead', rows='some') }}

with lead_history as (
    select * from {{ source('salesforce', 'lead_history') }}
    where lead_id is null
),

{{ salesforce_leads('lead_history') }}

select * from final
