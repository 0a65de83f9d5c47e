-- grain: one row per note
{{ config(entity='activity') }}

with {{ hubspot_api_activity('notes', 'note', {}) }}

select * from final
