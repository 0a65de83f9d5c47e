-- grain: one row per identifier that a HubSpot contact took over from another, or has besides
{{ config(entity='identity_link', rows='many') }}

with {{ hubspot_exported('contact_export', 'contact', 'contact') }},

{{ hubspot_contact_links('contact') }}

select * from final
