-- grain: one row per message by SMS, WhatsApp, LinkedIn or letter
{{ config(entity='activity') }}

with engagement_communication as (
    select * from {{ source('hubspot', 'engagement_communication') }}
),

-- With whom it was stands in engagement_contact: an activity may have several contacts.
final as (
    select
        _raw_id,
        engagement_id as activity_id,
        coalesce(property_hs_timestamp, property_hs_createdate) as activity_at,
        'message' as activity_type,
        property_hs_communication_channel_type as message_channel,
        false as is_touchpoint,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        _fivetran_deleted as is_deleted
    from engagement_communication
)

select * from final
