-- grain: one row per change of a field of a Salesforce contact
-- It promises no entity. A field may hold anything about a person, so values are taken only of
-- those that say where a contact stands; the others stay in raw.
{{ config(materialized='table', rows='some') }}

with contact_history as (
    select * from {{ source('salesforce', 'contact_history') }}
    where contact_id is not null
),

{{ salesforce_field_changes(
    'contact_history', 'contact_id', 'contact_id', ['LeadSource']
) }}

select * from final
