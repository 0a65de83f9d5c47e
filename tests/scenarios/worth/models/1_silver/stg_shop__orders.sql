-- grain: one row per order
{{ config(entity='order') }}
select
    _raw_id,
    "order" as order_id,
    at as ordered_at,
    "user" as user_id,
    amount as gross_amount,
    currency as currency_code
from {{ source('shop', 'orders') }}
