-- grain: one row per change of a field of a Salesforce account
-- It promises no entity. A field may hold anything about a person, so values are taken only of
-- those that say where an account stands; the others stay in raw.
{{ config(materialized='table', rows='some') }}

with account_history as (
    select * from {{ source('salesforce', 'account_history') }}
    where account_id is not null
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || account_id as account_id,
        created_date as changed_at,
        field as property_name,
        case
            when field in ('Type', 'Industry', 'Rating') then old_value
        end as previous_value,
        case
            when field in ('Type', 'Industry', 'Rating') then new_value
        end as property_value,
        created_by_id as changed_by
    from account_history
)

select * from final
