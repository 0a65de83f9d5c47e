-- grain: one row per call
{{ config(entity='activity') }}

with {{ hubspot_api_activity('calls', 'call', {
    'subject': 'property_hs_call_title',
    'direction': 'property_hs_call_direction',
    'outcome': 'property_hs_call_disposition',
    'duration_milliseconds': 'property_hs_call_duration'
}) }}

select * from final
