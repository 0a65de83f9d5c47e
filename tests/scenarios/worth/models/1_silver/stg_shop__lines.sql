-- grain: one row per line of an order
{{ config(entity='order_line') }}
select
    _raw_id,
    "order" as order_id,
    line as line_id,
    at as ordered_at,
    product as product_name,
    quantity,
    revenue as revenue_amount,
    cost as cost_amount,
    currency as currency_code
from {{ source('shop', 'lines') }}
