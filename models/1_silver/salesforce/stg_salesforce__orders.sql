-- grain: one row per version of a Salesforce order
{{ config(entity='order') }}

with orders as (
    select * from {{ source('salesforce', 'order') }}
),

{{ salesforce_orders('orders') }}

select * from final
