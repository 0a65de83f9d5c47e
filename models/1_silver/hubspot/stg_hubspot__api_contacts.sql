-- grain: one row per version of a HubSpot contact, as its API gives it
{{ config(entity='contact') }}

with {{ hubspot_api('contacts', 'received', 'contact') }},

contact as (
    select
        * replace (
            coalesce(property_createdate, record_created_at) as property_createdate,
            coalesce(property_associatedcompanyid, companies[1]['id'], company_ids[1])
                as property_associatedcompanyid
        )
    from received
),

{{ hubspot_contacts('contact') }}

select * from final
