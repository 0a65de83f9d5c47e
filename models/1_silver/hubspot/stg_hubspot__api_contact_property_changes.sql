-- grain: one row per change of a property of a contact
-- It promises no entity. A property may hold anything about a person, so only those are read that
-- say where a contact stands; the others stay in raw.
{{ config(materialized='table', rows='many') }}

with {{ hubspot_api_property_changes('contacts', 'contact') }}

select * from final
