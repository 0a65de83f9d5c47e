-- grain: one row per task
{{ config(entity='activity') }}

with {{ hubspot_api_activity('tasks', 'task', {
    'subject': 'property_hs_task_subject',
    'task_type': 'property_hs_task_type',
    'outcome': 'property_hs_task_status'
}) }}

select * from final
