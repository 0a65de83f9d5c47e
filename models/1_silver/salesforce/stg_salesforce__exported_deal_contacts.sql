-- grain: one row per role of a contact in a Salesforce opportunity, of an export of Salesforce
{{ config(entity='deal_contact') }}

with {{ salesforce_export('opportunity_contact_role') }},

{{ salesforce_deal_contacts('opportunity_contact_role') }}

select * from final
