-- grain: one row per member of a Salesforce campaign, of an export of Salesforce
{{ config(entity='activity') }}
{%- set has_campaign = 'campaign_export' in project.sources[source_name].streams %}

with {{ salesforce_export('campaign_member') }},
{%- if has_campaign %}

{{ salesforce_export('campaign') }},

{{ salesforce_campaign_media('campaign') }},
{%- endif %}

{{ salesforce_campaign_members('campaign_member', has_campaign) }}

select * from final
