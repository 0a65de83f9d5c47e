-- grain: one row per version of a Salesforce contact, of an export of Salesforce
{{ config(entity='contact') }}

with {{ salesforce_export('contact') }},

{{ salesforce_contacts('contact') }}

select * from final
