-- grain: one row per meeting
{{ config(entity='activity') }}

with {{ hubspot_api_activity('meetings', 'meeting', {
    'subject': 'property_hs_meeting_title',
    'outcome': 'property_hs_meeting_outcome',
    'started_at': 'property_hs_meeting_start_time',
    'ended_at': 'property_hs_meeting_end_time'
}) }}

select * from final
