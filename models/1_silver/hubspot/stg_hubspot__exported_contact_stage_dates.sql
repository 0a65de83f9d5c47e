-- grain: one row per lifecycle stage that a contact came into, from the dates in an export
{{ config(entity='activity', rows='many') }}

with {{ hubspot_exported('contact_export', 'contact', 'contact') }},

{{ hubspot_stage_dates('contact') }}

select * from final
