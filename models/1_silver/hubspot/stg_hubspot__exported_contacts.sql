-- grain: one row per contact of an export of HubSpot's pages
{{ config(entity='contact') }}

with {{ hubspot_exported('contact_export', 'contact', 'contact') }},

{{ hubspot_contacts('contact') }}

select * from final
