-- grain: one row per change of a property of a deal
-- It promises no entity. A property may hold anything about a person, so values are taken only of
-- those that say where a deal stands; the others stay in raw.
{{ config(materialized='table', rows='one') }}

with deal_property_history as (
    select * from {{ source('hubspot', 'deal_property_history') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || deal_id as deal_id,
        timestamp as changed_at,
        name as property_name,
        case
            when name in ('dealstage', 'pipeline', 'amount', 'closedate', 'hs_is_closed_won')
                then value
        end as property_value,
        source as change_source
    from deal_property_history
)

select * from final
