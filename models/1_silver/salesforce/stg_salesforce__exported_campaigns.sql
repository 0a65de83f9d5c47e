-- grain: one row per version of a Salesforce campaign, of an export of Salesforce
{{ config(entity='campaign') }}

with {{ salesforce_export('campaign') }},

{{ salesforce_campaigns('campaign') }}

select * from final
