-- grain: one row per change of a field of a Salesforce lead
-- It promises no entity. A field may hold anything about a person, so values are taken only of
-- those that say where a lead stands; the others stay in raw.
{{ config(materialized='table', rows='some') }}

with lead_history as (
    select * from {{ source('salesforce', 'lead_history') }}
    where lead_id is not null
),

{{ salesforce_field_changes(
    'lead_history', 'lead_id', 'lead_id', ['Status', 'LeadSource', 'Rating']
) }}

select * from final
