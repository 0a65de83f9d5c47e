-- grain: one row per note
{{ config(entity='activity') }}

with engagement_note as (
    select * from {{ source('hubspot', 'engagement_note') }}
),

-- With whom it was stands in engagement_contact: an activity may have several contacts.
final as (
    select
        _raw_id,
        engagement_id as activity_id,
        coalesce(property_hs_timestamp, property_hs_createdate) as activity_at,
        'note' as activity_type,
        false as is_touchpoint,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        _fivetran_deleted as is_deleted
    from engagement_note
)

select * from final
