-- grain: one row per change of a property of a contact
-- It promises no entity. A property may hold anything about a person, so values are taken only of
-- those that say where a contact stands; the others stay in raw.
{{ config(materialized='table', rows='one') }}

with contact_property_history as (
    select * from {{ source('hubspot', 'contact_property_history') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || contact_id as contact_id,
        timestamp as changed_at,
        name as property_name,
        case
            when name in ('lifecyclestage', 'hs_lead_status', 'hs_analytics_source')
                then value
        end as property_value,
        source as change_source
    from contact_property_history
)

select * from final
