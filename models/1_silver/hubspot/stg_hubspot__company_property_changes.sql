-- grain: one row per change of a property of a company
-- It promises no entity. A property may hold anything about a person, so values are taken only of
-- those that say where a company stands; the others stay in raw.
{{ config(materialized='table', rows='one') }}

with company_property_history as (
    select * from {{ source('hubspot', 'company_property_history') }}
),

{{ hubspot_property_changes('company_property_history', 'company') }}

select * from final
