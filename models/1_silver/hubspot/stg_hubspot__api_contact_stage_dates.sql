-- grain: one row per lifecycle stage that a contact came into, from the dates that its API gives
{{ config(entity='activity', rows='many') }}

with {{ hubspot_api('contacts', 'contact', 'contact') }},

{{ hubspot_stage_dates('contact') }}

select * from final
