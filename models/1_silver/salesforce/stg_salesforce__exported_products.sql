-- grain: one row per version of a Salesforce product, of an export of Salesforce
{{ config(entity='product') }}

with {{ salesforce_export('product_2', 'product_2') }},

{{ salesforce_products('product_2') }}

select * from final
