-- grain: one row per meeting
{{ config(entity='activity') }}

with engagement_meeting as (
    select * from {{ source('hubspot', 'engagement_meeting') }}
),

-- With whom it was stands in engagement_contact: an activity may have several contacts.
final as (
    select
        _raw_id,
        engagement_id as activity_id,
        coalesce(
            property_hs_meeting_start_time,
            start_time,
            property_hs_timestamp,
            property_hs_createdate
        ) as activity_at,
        'meeting' as activity_type,
        coalesce(property_hs_meeting_title, title) as subject,
        coalesce(property_hs_meeting_outcome, meeting_outcome) as outcome,
        coalesce(property_hs_meeting_end_time, end_time) as ended_at,
        source as booked_by,
        false as is_touchpoint,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        _fivetran_deleted as is_deleted
    from engagement_meeting
)

select * from final
