-- grain: one row per line of a Salesforce order, of an export of Salesforce
{{ config(entity='order_line') }}

with {{ salesforce_export('order_item', 'order_item') }},

{{ salesforce_order_lines('order_item') }}

select * from final
