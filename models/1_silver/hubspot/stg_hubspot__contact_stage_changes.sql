-- grain: one row per lifecycle stage that a contact came into, from the history of properties
{{ config(entity='activity', rows='some') }}

with contact_property_history as (
    select * from {{ source('hubspot', 'contact_property_history') }}
    where name = 'lifecyclestage' and trim(value) <> ''
),

final as (
    select
        _raw_id,
        concat('stage-', contact_id, '-', value, '-', timestamp) as activity_id,
        timestamp as activity_at,
        'stage_change' as activity_type,
        value as subject,
        contact_id,
        false as is_touchpoint,
        source as change_source
    from contact_property_history
)

select * from final
