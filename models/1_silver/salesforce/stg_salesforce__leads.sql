-- grain: one row per version of a Salesforce lead
{{ config(entity='lead') }}

with lead as (
    select * from {{ source('salesforce', 'lead') }}
),

{{ salesforce_leads('lead') }}

select * from final
