-- grain: one row per version of a product
{{ config(materialized='table', sort=['product_key', 'valid_from']) }}

{%- set attributes = [
    'product_id', 'sku', 'product_name', 'brand', 'category', 'subcategory', 'variant',
    'price_amount', 'cost_amount', 'currency_code', 'is_active',
] %}

with stated as (
    select
        durable_key('product', product_id) as product_key,
        product_id,
        sku,
        product_name,
        brand,
        category,
        subcategory,
        variant,
        price_amount,
        cost_amount,
        currency_code,
        coalesce(is_active, true) as is_active,
        coalesce(is_deleted, false) as is_deleted,
        coalesce(effective_at, {{ beginning() }}) as effective_at,
        _raw_id
    from {{ entity('product') }}
),

-- What was sold without being in the catalogue is a product too, by what the line says of it.
sold as (
    select
        {{ product_member_key('product_id', 'source_name', 'sku', 'product_name') }} as product_key,
        max(product_id) as product_id,
        max(sku) as sku,
        max(product_name) as product_name,
        min(ordered_at) as effective_at
    from {{ entity('order_line') }}
    group by {{ product_member_key('product_id', 'source_name', 'sku', 'product_name') }}
),

every_version as (
    select * from stated

    union all

    select
        sold.product_key,
        sold.product_id,
        sold.sku,
        sold.product_name,
        cast(null as text) as brand,
        cast(null as text) as category,
        cast(null as text) as subcategory,
        cast(null as text) as variant,
        cast(null as decimal(18, 6)) as price_amount,
        cast(null as decimal(18, 6)) as cost_amount,
        cast(null as text) as currency_code,
        true as is_active,
        false as is_deleted,
        sold.effective_at,
        cast(0 as bigint) as _raw_id
    from sold
    left anti join stated on sold.product_key = stated.product_key
    where sold.product_key <> 0
),

{{ versions_of(
    'every_version', 'product_key', attributes, sequence=['_raw_id'], deleted='is_deleted'
) }},

final as (
    select
        durable_key('product_version', cast(product_key as text), cast(valid_from as text))
            as product_version_key,
        product_key,
        product_id,
        sku,
        coalesce(product_name, sku, product_id) as product_name,
        coalesce(brand, '(unknown)') as brand,
        coalesce(category, '(unknown)') as category,
        coalesce(subcategory, '(unknown)') as subcategory,
        variant,
        price_amount,
        cost_amount,
        currency_code,
        is_active and not is_deleted as is_active,
        is_deleted,
        effective_from,
        valid_from,
        valid_to,
        is_current,
        version_number
    from versions

    union all

    select
        reserved.reserved_key as product_version_key,
        reserved.reserved_key as product_key,
        cast(null as text) as product_id,
        cast(null as text) as sku,
        reserved.label as product_name,
        reserved.label as brand,
        reserved.label as category,
        reserved.label as subcategory,
        cast(null as text) as variant,
        cast(null as decimal(18, 6)) as price_amount,
        cast(null as decimal(18, 6)) as cost_amount,
        cast(null as text) as currency_code,
        false as is_active,
        false as is_deleted,
        {{ no_instant() }} as effective_from,
        {{ beginning() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        true as is_current,
        cast(1 as bigint) as version_number
    from {{ reserved_members() }} as reserved
)

select * from final
