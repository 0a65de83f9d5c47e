-- grain: one row per version of a Salesforce campaign
{{ config(entity='campaign') }}

with campaign as (
    select * from {{ source('salesforce', 'campaign') }}
),

{{ salesforce_campaigns('campaign') }}

select * from final
