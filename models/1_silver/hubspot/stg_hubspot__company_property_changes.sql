-- grain: one row per change of a property of a company
-- It promises no entity. A property may hold anything about a person, so values are taken only of
-- those that say where a company stands; the others stay in raw.
{{ config(materialized='table', rows='one') }}

with company_property_history as (
    select * from {{ source('hubspot', 'company_property_history') }}
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || company_id as account_id,
        timestamp as changed_at,
        name as property_name,
        case
            when name in ('lifecyclestage', 'hs_lead_status', 'industry')
                then value
        end as property_value,
        source as change_source
    from company_property_history
)

select * from final
