-- grain: one row per version of a Shopify product
{{ config(entity='product') }}

with products as (
    select
        _raw_id,
        from_json(payload, 'struct<
            id: text,
            title: text,
            vendor: text,
            product_type: text,
            handle: text,
            status: text,
            tags: text,
            variants: list<struct<id: text, sku: text, title: text, price: text>>
        >') as product
    from {{ source('shopify', 'products') }}
),

-- Order lines name the product, so a product is one row; price and sku are those of its first
-- variant, and the number of variants says how far to trust them.
final as (
    select
        _raw_id,
        product['id'] as product_id,
        nullif(product['variants'][1]['sku'], '') as sku,
        product['title'] as product_name,
        nullif(product['vendor'], '') as brand,
        nullif(product['product_type'], '') as category,
        nullif(product['variants'][1]['title'], 'Default Title') as variant,
        product['variants'][1]['price'] as price_amount,
        case
            when product['status'] is not null then product['status'] = 'active'
        end as is_active,
        product['handle'] as handle,
        product['tags'] as tags,
        cardinality(product['variants']) as variant_count
    from products
)

select * from final
