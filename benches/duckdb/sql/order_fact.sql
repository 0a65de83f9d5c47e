-- Shop orders with the identifier they are known by and their money.
select
    hash(order_id) as order_key,
    order_id,
    coalesce(order_number, order_id) as order_number,
    ordered_at,
    ordered_at::date as event_date,
    coalesce(node(4, buyer_id), node(5, email_hash), node(6, phone_hash), node(7, order_number),
        node(7, order_id), 0) as identity_node,
    status,
    item_quantity,
    gross_amount,
    discount_amount,
    tax_amount,
    shipping_amount,
    (gross_amount - coalesce(tax_amount, 0) - coalesce(shipping_amount, 0))::decimal(18, 6)
        as net_amount,
    shop_order.currency_code,
    rate.exchange_rate,
    is_cancelled,
    is_test
from shop_order
left join exchange_rate as rate
    on
        shop_order.currency_code = rate.currency_code
        and shop_order.ordered_at::date = rate.rate_date
