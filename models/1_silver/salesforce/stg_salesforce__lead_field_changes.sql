-- grain: one row per change of a field of a Salesforce lead
-- It promises no entity. A field may hold anything about a person, so values are taken only of
-- those that say where a lead stands; the others stay in raw.
{{ config(materialized='table', rows='some') }}

with lead_history as (
    select * from {{ source('salesforce', 'lead_history') }}
    where lead_id is not null
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || lead_id as lead_id,
        created_date as changed_at,
        field as property_name,
        case
            when field in ('Status', 'LeadSource', 'Rating') then old_value
        end as previous_value,
        case
            when field in ('Status', 'LeadSource', 'Rating') then new_value
        end as property_value,
        created_by_id as changed_by
    from lead_history
)

select * from final
