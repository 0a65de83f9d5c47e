-- grain: one row per member of a Salesforce campaign
{{ config(entity='activity') }}
{%- set has_campaign = 'campaign' in project.sources[source_name].streams %}

with campaign_member as (
    select * from {{ source('salesforce', 'campaign_member') }}
),
{%- if has_campaign %}

{{ salesforce_campaign_media(source('salesforce', 'campaign')) }},
{%- endif %}

{{ salesforce_campaign_members('campaign_member', has_campaign) }}

select * from final
