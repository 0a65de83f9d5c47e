-- grain: one row per call
{{ config(entity='activity') }}

with engagement_call as (
    select * from {{ source('hubspot', 'engagement_call') }}
),

-- With whom it was stands in engagement_contact: an activity may have several contacts.
final as (
    select
        _raw_id,
        engagement_id as activity_id,
        coalesce(property_hs_timestamp, property_hs_createdate) as activity_at,
        'call' as activity_type,
        property_hs_call_title as subject,
        property_hs_call_direction as direction,
        property_hs_call_disposition as outcome,
        property_hs_call_duration as duration_milliseconds,
        false as is_touchpoint,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        _fivetran_deleted as is_deleted
    from engagement_call
)

select * from final
