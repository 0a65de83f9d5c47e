-- grain: one row per version of a line of a Shopify order, as Fivetran lands it
-- The order says when it was and in which currency.
{{ config(entity='order_line') }}
{%- set streams = project.sources[source_name].streams %}

with order_line as (
    select * from {{ source('shopify', 'order_line') }}
),

{{ shopify_latest_order() }},
{%- if 'discount_allocation' in streams %}

-- The line's share of every discount, that of the whole order too.
allocations as (
    select
        order_line_id,
        sum(to_amount(coalesce(
            amount, allocated_amount_set_shop_amount, amount_set_shop_money_amount
        ))) as discount_amount
    from (
        select
            *,
            row_number() over (
                partition by order_line_id, index
                order by _fivetran_synced desc nulls last, _raw_id desc
            ) as place
        from {{ source('shopify', 'discount_allocation') }}
    )
    where place = 1
    group by order_line_id
),
{%- endif %}

priced as (
    select
        order_line.*,
        shop_order.created_at as order_created_at,
        shop_order.processed_at as order_processed_at,
        shop_order.currency_code,
        shop_order.is_tax_included,
        coalesce(
            {%- if 'discount_allocation' in streams %}
            allocations.discount_amount,
            {%- endif %}
            to_amount(order_line.total_discount),
            to_amount(order_line.total_discount_set_shop_amount),
            cast(0 as decimal(18, 6))
        ) as line_discount_amount,
        -- The newer connector gives the price of all pieces together.
        coalesce(
            cast(
                try_cast(order_line.quantity as decimal(12, 3)) * to_amount(order_line.price)
                as decimal(24, 6)
            ),
            cast(to_amount(order_line.original_total_set_shop_amount) as decimal(24, 6))
        ) as full_amount
    from order_line
    left join shop_order on order_line.order_id = shop_order.order_id
    {%- if 'discount_allocation' in streams %}
    left join allocations on order_line.id = allocations.order_line_id
    {%- endif %}
),

final as (
    select
        _raw_id,
        order_id,
        id as line_id,
        coalesce(order_created_at, order_processed_at) as ordered_at,
        product_id,
        sku,
        coalesce(title, name) as product_name,
        quantity,
        coalesce(
            price,
            cast(
                cast(
                    full_amount / nullif(try_cast(quantity as decimal(12, 3)), 0)
                    as decimal(18, 6)
                ) as text
            )
        ) as unit_price_amount,
        line_discount_amount as discount_amount,
        full_amount - line_discount_amount as revenue_amount,
        currency_code,
        variant_id,
        variant_title as variant,
        vendor,
        coalesce(gift_card, is_gift_card) as is_gift_card,
        is_tax_included
    from priced
)

select * from final
