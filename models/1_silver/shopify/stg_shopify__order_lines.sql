-- grain: one row per line of a Shopify order, of every version of the order
{{ config(entity='order_line', rows='many') }}

with orders as (
    select
        _raw_id,
        from_json(payload, 'struct<
            id: text,
            created_at: text,
            processed_at: text,
            currency: text,
            taxes_included: text,
            line_items: list<struct<
                id: text,
                product_id: text,
                variant_id: text,
                sku: text,
                title: text,
                name: text,
                variant_title: text,
                vendor: text,
                quantity: text,
                price: text,
                total_discount: text,
                gift_card: text,
                discount_allocations: list<struct<amount: text>>,
                tax_lines: list<struct<price: text>>
            >>
        >') as shop_order
    from {{ source('shopify', 'orders') }}
),

lines as (
    select
        _raw_id,
        shop_order['id'] as order_id,
        coalesce(shop_order['created_at'], shop_order['processed_at']) as ordered_at,
        shop_order['currency'] as currency_code,
        shop_order['taxes_included'] as is_tax_included,
        unnest(shop_order['line_items']) as line_item
    from orders
),

-- The discounts and the taxes of a line side by side; the null at the end keeps lines without any.
line_entries as (
    select
        _raw_id,
        order_id,
        ordered_at,
        currency_code,
        is_tax_included,
        line_item['id'] as line_id,
        line_item['product_id'] as product_id,
        line_item['variant_id'] as variant_id,
        nullif(line_item['sku'], '') as sku,
        coalesce(line_item['title'], line_item['name']) as product_name,
        line_item['variant_title'] as variant,
        line_item['vendor'] as vendor,
        line_item['quantity'] as quantity,
        line_item['price'] as unit_price,
        line_item['total_discount'] as total_discount,
        line_item['gift_card'] as is_gift_card,
        unnest(array_append(line_item['discount_allocations'], null)) as allocation,
        unnest(array_append(line_item['tax_lines'], null)) as tax_line
    from lines
),

-- Allocations hold the line's share of every discount, that of the whole order too; total_discount,
-- the older field, holds only those of the line itself.
lines_summed as (
    select
        _raw_id,
        order_id,
        ordered_at,
        currency_code,
        is_tax_included,
        line_id,
        product_id,
        variant_id,
        sku,
        product_name,
        variant,
        vendor,
        quantity,
        unit_price,
        is_gift_card,
        coalesce(sum(to_amount(allocation['amount'])), to_amount(total_discount))
            as discount_amount,
        sum(to_amount(tax_line['price'])) as tax_amount
    from line_entries
    group by
        _raw_id,
        order_id,
        ordered_at,
        currency_code,
        is_tax_included,
        line_id,
        product_id,
        variant_id,
        sku,
        product_name,
        variant,
        vendor,
        quantity,
        unit_price,
        is_gift_card,
        total_discount
),

final as (
    select
        _raw_id,
        order_id,
        line_id,
        ordered_at,
        product_id,
        sku,
        product_name,
        quantity,
        unit_price as unit_price_amount,
        discount_amount,
        cast(
            try_cast(quantity as decimal(12, 3)) * to_amount(unit_price) as decimal(24, 6)
        ) - coalesce(discount_amount, 0) as revenue_amount,
        currency_code,
        variant_id,
        variant,
        vendor,
        is_gift_card,
        tax_amount,
        is_tax_included
    from lines_summed
)

select * from final
