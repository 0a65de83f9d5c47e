-- grain: one row per status that a Salesforce lead came into, from the history of its fields
{{ config(entity='activity', rows='some') }}

with lead_history as (
    select * from {{ source('salesforce', 'lead_history') }}
    where lead_id is not null and field = 'Status' and trim(new_value) <> ''
),

final as (
    select
        _raw_id,
        concat('stage-', lead_id, '-', new_value, '-', created_date) as activity_id,
        created_date as activity_at,
        'stage_change' as activity_type,
        new_value as subject,
        lead_id,
        false as is_touchpoint,
        old_value as previous_stage
    from lead_history
)

select * from final
