-- grain: one row per Salesforce order that names the contact who gets the bill
{{ config(entity='identity_link', rows='some') }}

with orders as (
    select * from {{ source('salesforce', 'order') }}
),

{{ salesforce_order_links('orders') }}

select * from final
