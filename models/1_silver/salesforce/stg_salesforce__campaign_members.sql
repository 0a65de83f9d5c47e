-- grain: one row per member of a Salesforce campaign
{{ config(entity='activity') }}

with campaign_member as (
    select * from {{ source('salesforce', 'campaign_member') }}
),

{{ salesforce_campaign_members('campaign_member') }}

select * from final
