-- grain: one row per Salesforce task
{{ config(entity='activity') }}

with task as (
    select * from {{ source('salesforce', 'task') }}
),

{{ salesforce_tasks('task') }}

select * from final
