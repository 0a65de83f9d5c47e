-- grain: one row per member of a Salesforce campaign, of an export of Salesforce
{{ config(entity='activity') }}

with {{ salesforce_export('campaign_member') }},

{{ salesforce_campaign_members('campaign_member') }}

select * from final
