-- grain: one row per version of a Salesforce lead, of an export of Salesforce
{{ config(entity='lead') }}

with {{ salesforce_export('lead') }},

{{ salesforce_leads('lead') }}

select * from final
