-- grain: one row per version of a Salesforce product
{{ config(entity='product') }}

with product_2 as (
    select * from {{ source('salesforce', 'product_2') }}
),

{{ salesforce_products('product_2') }}

select * from final
