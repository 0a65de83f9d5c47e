-- grain: one row per task
{{ config(entity='activity') }}

with engagement_task as (
    select * from {{ source('hubspot', 'engagement_task') }}
),

-- With whom it was stands in engagement_contact: an activity may have several contacts.
final as (
    select
        _raw_id,
        engagement_id as activity_id,
        coalesce(property_hs_timestamp, property_hs_createdate) as activity_at,
        'task' as activity_type,
        property_hs_task_subject as subject,
        coalesce(property_hs_task_type, task_type) as task_type,
        property_hs_task_status as outcome,
        false as is_touchpoint,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        _fivetran_deleted as is_deleted
    from engagement_task
)

select * from final
