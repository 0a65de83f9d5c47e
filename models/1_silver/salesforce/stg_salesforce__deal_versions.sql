-- grain: one row per version of a Salesforce opportunity in its history
-- The stream may also be Salesforce's own OpportunityHistory: those rows name the opportunity in
-- `opportunity_id`, and another model takes them.
{{ config(entity='deal', rows='some') }}
{%- set has_order = 'order' in project.sources[source_name].streams %}

with opportunity_history as (
    select * from {{ source('salesforce', 'opportunity_history') }}
    where opportunity_id is null
),
{%- if has_order %}

{{ salesforce_order_of_deal(source('salesforce', 'order')) }},
{%- endif %}

{{ salesforce_deals('opportunity_history', has_order) }}

select * from final
