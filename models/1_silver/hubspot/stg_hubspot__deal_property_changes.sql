-- grain: one row per change of a property of a deal
-- It promises no entity. A property may hold anything about a person, so values are taken only of
-- those that say where a deal stands; the others stay in raw.
{{ config(materialized='table', rows='one') }}

with deal_property_history as (
    select * from {{ source('hubspot', 'deal_property_history') }}
),

{{ hubspot_property_changes('deal_property_history', 'deal') }}

select * from final
