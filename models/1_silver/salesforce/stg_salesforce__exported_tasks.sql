-- grain: one row per Salesforce task, of an export of Salesforce
{{ config(entity='activity') }}

with {{ salesforce_export('task') }},

{{ salesforce_tasks('task') }}

select * from final
