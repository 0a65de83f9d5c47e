-- grain: one row per deal of an export of HubSpot's pages
{{ config(entity='deal') }}

with {{ hubspot_exported('deal_export', 'deal', 'deal') }},

{{ hubspot_deals('deal') }}

select * from final
