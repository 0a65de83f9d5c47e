-- grain: one row per Salesforce order that reduces another
{{ config(entity='refund', rows='some') }}

with orders as (
    select * from {{ source('salesforce', 'order') }}
),

{{ salesforce_reductions('orders') }}

select * from final
