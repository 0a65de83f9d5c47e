-- grain: one row per entry in the stage history of a Salesforce opportunity
{{ config(entity='deal_stage') }}

with {{ salesforce_export('opportunity_history') }},

{{ salesforce_deal_stages('opportunity_history') }}

select * from final
