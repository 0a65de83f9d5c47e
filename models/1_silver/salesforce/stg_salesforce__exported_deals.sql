-- grain: one row per version of a Salesforce opportunity, of an export of Salesforce
{{ config(entity='deal') }}

with {{ salesforce_export('opportunity') }},

{{ salesforce_deals('opportunity') }}

select * from final
