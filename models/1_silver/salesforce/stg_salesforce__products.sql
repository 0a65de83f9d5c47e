-- grain: one row per version of a Salesforce product
{{ config(entity='product') }}

with product_2 as (
    select * from {{ source('salesforce', 'product_2') }}
),

-- Prices stand in price books: a product may have several.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as product_id,
        coalesce(stock_keeping_unit, product_code) as sku,
        name as product_name,
        family as category,
        currency_iso_code as currency_code,
        case
            when
                lower(coalesce(is_deleted, 'false')) in ('true', '1', 't', 'yes')
                or lower(coalesce(is_archived, 'false')) in ('true', '1', 't', 'yes')
                then 'false'
            else is_active
        end as is_active,
        product_code,
        external_id,
        quantity_unit_of_measure as unit,
        created_date as created_at
    from product_2
)

select * from final
