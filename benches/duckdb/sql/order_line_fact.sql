-- Lines of orders with their money.
select
    hash(order_line.order_id, line_id) as order_line_key,
    order_line.order_id,
    line_id,
    order_line.ordered_at::date as event_date,
    product_id,
    sku,
    product_name,
    quantity,
    unit_price_amount,
    order_line.discount_amount,
    revenue_amount,
    coalesce(order_line.currency_code, shop_order.currency_code) as currency_code,
    reporting(revenue_amount, rate.exchange_rate) as revenue_reporting_amount,
    coalesce(is_cancelled, false) as is_cancelled,
    coalesce(is_test, false) as is_test
from order_line
left join order_fact as shop_order on order_line.order_id = shop_order.order_id
left join exchange_rate as rate
    on
        coalesce(order_line.currency_code, shop_order.currency_code) = rate.currency_code
        and order_line.ordered_at::date = rate.rate_date
