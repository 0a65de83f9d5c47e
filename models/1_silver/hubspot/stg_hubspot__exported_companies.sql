-- grain: one row per company of an export of HubSpot's pages
{{ config(entity='account') }}

with {{ hubspot_exported('company_export', 'company', 'company') }},

{{ hubspot_companies('company') }}

select * from final
