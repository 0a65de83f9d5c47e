-- grain: one row per change of a property of a company
-- It promises no entity. A property may hold anything about a person, so only those are read that
-- say where a company stands; the others stay in raw.
{{ config(materialized='table', rows='many') }}

with {{ hubspot_api_property_changes('companies', 'company') }}

select * from final
