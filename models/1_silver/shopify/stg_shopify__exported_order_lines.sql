-- grain: one row per line of an order of the CSV of Shopify's page of orders
{{ config(entity='order_line', rows='some') }}

-- Lines of an order stand together in a file, in the order in which they were bought: Shopify gives
-- them no id here, so their place is it. A line other than the first may leave out what is said of
-- the order.
with lines as (
    select
        _raw_id,
        name,
        lineitem_name,
        lineitem_sku,
        lineitem_quantity,
        lineitem_price,
        lineitem_discount,
        vendor,
        row_number() over (partition by _file_id, name order by _row) as place,
        max(id) over (partition by _file_id, name) as order_id,
        max(created_at) over (partition by _file_id, name) as ordered_at,
        max(currency) over (partition by _file_id, name) as currency_code
    from {{ source('shopify', 'orders_export') }}
    where lineitem_name is not null
),

final as (
    select
        _raw_id,
        coalesce(order_id, regexp_replace(name, '^#', '')) as order_id,
        cast(place as text) as line_id,
        ordered_at,
        lineitem_sku as sku,
        lineitem_name as product_name,
        lineitem_quantity as quantity,
        lineitem_price as unit_price_amount,
        lineitem_discount as discount_amount,
        cast(
            try_cast(lineitem_quantity as decimal(12, 3)) * to_amount(lineitem_price)
            as decimal(24, 6)
        ) - coalesce(to_amount(lineitem_discount), 0) as revenue_amount,
        currency_code,
        vendor
    from lines
)

select * from final
