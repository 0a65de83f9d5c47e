-- grain: one row per line of a Salesforce order
{{ config(entity='order_line') }}

with order_item as (
    select * from {{ source('salesforce', 'order_item') }}
),

{{ salesforce_order_lines('order_item') }}

select * from final
