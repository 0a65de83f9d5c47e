-- grain: one row per entry in the stage history of a Salesforce opportunity
-- The stream may also hold versions of opportunities: another model takes those.
{{ config(entity='deal_stage', rows='some') }}

with opportunity_history as (
    select * from {{ source('salesforce', 'opportunity_history') }}
    where opportunity_id is not null
),

{{ salesforce_deal_stages('opportunity_history') }}

select * from final
