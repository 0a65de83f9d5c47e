-- grain: one row per version of a Salesforce order, of an export of Salesforce
{{ config(entity='order') }}

with {{ salesforce_export('order', 'orders') }},

{{ salesforce_orders('orders') }}

select * from final
