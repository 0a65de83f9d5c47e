-- grain: one row per change of a field of a Salesforce contact
-- It promises no entity. A field may hold anything about a person, so values are taken only of
-- those that say where a contact stands; the others stay in raw.
{{ config(materialized='table', rows='some') }}

with contact_history as (
    select * from {{ source('salesforce', 'contact_history') }}
    where contact_id is not null
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || contact_id as contact_id,
        created_date as changed_at,
        field as property_name,
        case
            when field in ('LeadSource') then old_value
        end as previous_value,
        case
            when field in ('LeadSource') then new_value
        end as property_value,
        created_by_id as changed_by
    from contact_history
)

select * from final
