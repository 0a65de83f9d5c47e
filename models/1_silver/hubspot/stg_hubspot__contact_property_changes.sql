-- grain: one row per change of a property of a contact
-- It promises no entity. A property may hold anything about a person, so values are taken only of
-- those that say where a contact stands; the others stay in raw.
{{ config(materialized='table', rows='one') }}

with contact_property_history as (
    select * from {{ source('hubspot', 'contact_property_history') }}
),

{{ hubspot_property_changes('contact_property_history', 'contact') }}

select * from final
