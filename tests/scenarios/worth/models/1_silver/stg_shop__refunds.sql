-- grain: one row per refund
{{ config(entity='refund') }}
select
    _raw_id,
    refund as refund_id,
    "order" as order_id,
    at as refunded_at,
    amount as refund_amount,
    currency as currency_code
from {{ source('shop', 'refunds') }}
