-- grain: one row per version of a Salesforce opportunity
{{ config(entity='deal') }}
{%- set has_order = 'order' in project.sources[source_name].streams %}

with opportunity as (
    select * from {{ source('salesforce', 'opportunity') }}
),
{%- if has_order %}

{{ salesforce_order_of_deal(source('salesforce', 'order')) }},
{%- endif %}

{{ salesforce_deals('opportunity', has_order) }}

select * from final
