-- grain: one row per change of a property of a contact
-- It promises no entity. A property may hold anything about a person, so only those are read that
-- say where a contact stands; the others stay in raw.
{{ config(materialized='table', rows='many') }}

with {{ hubspot_api_changes(
    'contacts', ['lifecyclestage', 'hs_lead_status', 'hs_analytics_source']
) }},

final as (
    select
        _raw_id,
        '{{ source_name }}:' || id as contact_id,
        entry['timestamp'] as changed_at,
        property_name,
        entry['value'] as property_value,
        entry['sourceType'] as change_source
    from change
)

select * from final
