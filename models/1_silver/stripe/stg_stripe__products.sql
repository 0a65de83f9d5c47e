-- grain: one row per version of a Stripe product
{{ config(entity='product') }}

with product as (
    select * from {{ source('stripe', 'product') }}
),

-- Prices are a table of their own: a product may have several.
final as (
    select
        _raw_id,
        id as product_id,
        name as product_name,
        case
            when coalesce(to_boolean(is_deleted), false) then 'false'
            else active
        end as is_active,
        is_deleted,
        type as product_type,
        unit_label,
        statement_descriptor,
        created as created_at,
        livemode as is_live
    from product
)

select * from final
