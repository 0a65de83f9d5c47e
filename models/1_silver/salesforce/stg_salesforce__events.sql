-- grain: one row per entry in a Salesforce calendar
{{ config(entity='activity') }}

with event as (
    select * from {{ source('salesforce', 'event') }}
),

{{ salesforce_events('event') }}

select * from final
