-- grain: one row per Salesforce order that reduces another, of an export of Salesforce
{{ config(entity='refund', rows='some') }}

with {{ salesforce_export('order', 'orders') }},

{{ salesforce_reductions('orders') }}

select * from final
