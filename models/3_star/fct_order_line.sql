-- grain: one row per line of a shop order
{{ config(materialized='table', sort=['event_date', 'product_key']) }}

{%- set reporting = project.reporting.currency %}

with order_line as (
    select * from {{ entity('order_line') }}
),

shop_order as (
    select order_id, ordered_at, currency_code, is_cancelled, is_test from {{ ref('fct_order') }}
),

product as (
    select product_key, max(cost_amount) as cost_amount, max(currency_code) as currency_code
    from {{ ref('dim_product') }}
    where is_current
    group by product_key
),

exchange_rate as (
    select rate_date, currency_code, exchange_rate, exchange_rate_date
    from {{ ref('int_exchange_rate_day') }}
),

with_order as (
    select
        order_line.*,
        -- A line was sold when its order was placed, whatever its own row says.
        coalesce(shop_order.ordered_at, order_line.ordered_at) as sold_at,
        {{ product_member_key('order_line.product_id', 'order_line.source_name', 'order_line.sku',
            'order_line.product_name') }} as product_key,
        upper(coalesce(order_line.currency_code, shop_order.currency_code, '{{ reporting }}'))
            as line_currency_code,
        shop_order.order_id is not null as has_order,
        coalesce(shop_order.is_cancelled, false) as is_cancelled,
        coalesce(shop_order.is_test, false) as is_test,
        coalesce(
            order_line.revenue_amount,
            cast(
                cast(order_line.quantity as decimal(18, 6)) * order_line.unit_price_amount
                - coalesce(order_line.discount_amount, {{ no_money() }}) as decimal(18, 6)
            ),
            {{ no_money() }}
        ) as line_revenue_amount
    from order_line
    left join shop_order on order_line.order_id = shop_order.order_id
),

with_rate as (
    select
        with_order.*,
        coalesce(
            with_order.cost_amount,
            case
                when upper(product.currency_code) = with_order.line_currency_code
                    then cast(
                        cast(with_order.quantity as decimal(18, 6)) * product.cost_amount
                        as decimal(18, 6)
                    )
            end
        ) as line_cost_amount,
        {{ rate_and_date('with_order.line_currency_code', 'cast(with_order.sold_at as date)') }}
    from with_order
    left join product on with_order.product_key = product.product_key
    left join exchange_rate
        on
            with_order.line_currency_code = exchange_rate.currency_code
            and cast(with_order.sold_at as date) = exchange_rate.rate_date
),

final as (
    select
        durable_key('order_line', order_id, line_id) as order_line_key,
        durable_key('order', order_id) as order_key,
        product_key,
        order_id,
        line_id,
        cast(sold_at as date) as event_date,
        {{ reporting_date('sold_at') }} as reporting_date,
        sold_at as ordered_at,
        source_name,
        sku,
        product_name,
        quantity,
        unit_price_amount,
        discount_amount,
        line_revenue_amount as revenue_amount,
        line_cost_amount as cost_amount,
        line_currency_code as currency_code,
        exchange_rate,
        exchange_rate_date,
        {{ reporting_amount('line_revenue_amount', 'exchange_rate') }} as revenue_reporting_amount,
        {{ reporting_amount('line_cost_amount', 'exchange_rate') }} as cost_reporting_amount,
        has_order,
        is_cancelled,
        is_test
    from with_rate
)

select * from final
