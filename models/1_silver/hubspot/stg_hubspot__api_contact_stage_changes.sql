-- grain: one row per lifecycle stage that a contact came into, from the history that its API gives
{{ config(entity='activity', rows='many') }}

with {{ hubspot_api_changes('contacts', ['lifecyclestage']) }},

final as (
    select
        _raw_id,
        concat('stage-', id, '-', entry['value'], '-', entry['timestamp']) as activity_id,
        entry['timestamp'] as activity_at,
        'stage_change' as activity_type,
        entry['value'] as subject,
        id as contact_id,
        false as is_touchpoint,
        entry['sourceType'] as change_source
    from change
    -- A stage that was taken back leaves an empty entry.
    where trim(entry['value']) <> ''
)

select * from final
