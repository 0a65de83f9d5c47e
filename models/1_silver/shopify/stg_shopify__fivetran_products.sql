-- grain: one row per version of a Shopify product, as Fivetran lands it
{{ config(entity='product') }}
{%- set has_variants = 'product_variant' in project.sources[source_name].streams %}

with product as (
    select * from {{ source('shopify', 'product') }}
),
{%- if has_variants %}

variants as (
    select
        *,
        row_number() over (
            partition by product_id order by try_cast(position as bigint) nulls last, id
        ) as variant_place,
        count(*) over (partition by product_id) as variant_count
    from (
        select
            *,
            row_number() over (
                partition by id order by _fivetran_synced desc nulls last, _raw_id desc
            ) as place
        from {{ source('shopify', 'product_variant') }}
    )
    where place = 1
),
{%- endif %}

-- Order lines name the product, so a product is one row; price and sku are those of its first
-- variant, and the number of variants says how far to trust them.
final as (
    select
        product._raw_id,
        product.id as product_id,
        product.title as product_name,
        product.vendor as brand,
        product.product_type as category,
        {%- if has_variants %}
        variants.sku,
        nullif(variants.title, 'Default Title') as variant,
        variants.price as price_amount,
        variants.variant_count,
        {%- endif %}
        case
            when lower(product._fivetran_deleted) in ('true', '1', 't', 'yes') then false
            when product.status is not null then lower(product.status) = 'active'
        end as is_active,
        product._fivetran_deleted as is_deleted,
        product.handle
    from product
    {%- if has_variants %}
    left join variants on product.id = variants.product_id and variants.variant_place = 1
    {%- endif %}
)

select * from final
