-- grain: one row per version of a HubSpot company, as its API gives it
{{ config(entity='account') }}

with {{ hubspot_api('companies', 'received', 'company') }},

company as (
    select
        * replace (coalesce(property_createdate, record_created_at) as property_createdate)
    from received
),

{{ hubspot_companies('company') }}

select * from final
