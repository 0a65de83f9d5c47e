-- grain: one row per version of a Salesforce opportunity, of an export of Salesforce
{{ config(entity='deal') }}
{%- set has_order = 'order_export' in project.sources[source_name].streams %}

with {{ salesforce_export('opportunity') }},
{%- if has_order %}

{{ salesforce_export('order', 'orders') }},

{{ salesforce_order_of_deal('orders') }},
{%- endif %}

{{ salesforce_deals('opportunity', has_order) }}

select * from final
