-- grain: one row per order of the CSV of Shopify's page of orders of which money was given back
-- The CSV says how much, over all refunds of the order, and not when: it stands on the day on which
-- the order was cancelled, or else on the order's own.
{{ config(entity='refund', rows='some') }}

with orders as (
    select * from {{ source('shopify', 'orders_export') }}
),

final as (
    select
        _raw_id,
        concat(coalesce(id, regexp_replace(name, '^#', '')), '-refunded') as refund_id,
        coalesce(id, regexp_replace(name, '^#', '')) as order_id,
        coalesce(cancelled_at, created_at) as refunded_at,
        refunded_amount as refund_amount,
        currency as currency_code,
        case when cancelled_at is null then 'order' else 'cancellation' end as date_basis
    from orders
    where total is not null and coalesce(to_amount(refunded_amount), 1) <> 0
        and refunded_amount is not null
)

select * from final
