-- grain: one row per change of a field of a Salesforce opportunity
-- It promises no entity. A field may hold anything about a person, so values are taken only of
-- those that say where a deal stands; the others stay in raw.
{{ config(materialized='table', rows='one') }}

with opportunity_field_history as (
    select * from {{ source('salesforce', 'opportunity_field_history') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || opportunity_id as deal_id,
        created_date as changed_at,
        field as property_name,
        case
            when field in ('StageName', 'Amount', 'CloseDate', 'Probability') then old_value
        end as previous_value,
        case
            when field in ('StageName', 'Amount', 'CloseDate', 'Probability') then new_value
        end as property_value,
        created_by_id as changed_by
    from opportunity_field_history
)

select * from final
