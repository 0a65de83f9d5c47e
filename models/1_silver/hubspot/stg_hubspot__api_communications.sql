-- grain: one row per message by SMS, WhatsApp, LinkedIn or letter
{{ config(entity='activity') }}

with {{ hubspot_api_activity('communications', 'message', {
    'message_channel': 'property_hs_communication_channel_type'
}) }}

select * from final
