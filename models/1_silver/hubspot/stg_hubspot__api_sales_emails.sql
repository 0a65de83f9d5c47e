-- grain: one row per e-mail between a person of the company and a contact
{{ config(entity='activity') }}

with {{ hubspot_api_activity('emails', 'sales_email', {
    'direction': 'property_hs_email_direction',
    'outcome': 'property_hs_email_status'
}) }}

select * from final
