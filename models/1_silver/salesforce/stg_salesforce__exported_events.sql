-- grain: one row per entry in a Salesforce calendar, of an export of Salesforce
{{ config(entity='activity') }}

with {{ salesforce_export('event') }},

{{ salesforce_events('event') }}

select * from final
