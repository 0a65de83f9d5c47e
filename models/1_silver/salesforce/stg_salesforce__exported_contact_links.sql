-- grain: one row per contact that was merged into another, and per further address of a contact
{{ config(entity='identity_link', rows='many') }}

with {{ salesforce_export('contact') }},

{{ salesforce_contact_links('contact') }}

select * from final
