-- grain: one row per e-mail between a person of the company and a contact
{{ config(entity='activity') }}

with engagement_email as (
    select * from {{ source('hubspot', 'engagement_email') }}
),

-- With whom it was stands in engagement_contact: an activity may have several contacts.
final as (
    select
        _raw_id,
        engagement_id as activity_id,
        coalesce(property_hs_timestamp, property_hs_createdate) as activity_at,
        'sales_email' as activity_type,
        property_hs_email_direction as direction,
        property_hs_email_status as outcome,
        false as is_touchpoint,
        {{ whole('property_hubspot_owner_id') }} as owner_id,
        _fivetran_deleted as is_deleted
    from engagement_email
)

select * from final
