-- grain: one row per version of a Salesforce account, of an export of Salesforce
{{ config(entity='account') }}

with {{ salesforce_export('account') }},

{{ salesforce_accounts('account') }}

select * from final
