-- grain: one row per line of a Salesforce order
{{ config(entity='order_line') }}

with order_item as (
    select * from {{ source('salesforce', 'order_item') }}
),

-- A line does not say when its order was placed, so it stands on the day it was written.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        order_id,
        id as line_id,
        created_date as ordered_at,
        product_2_id as product_id,
        quantity,
        unit_price as unit_price_amount,
        total_price as revenue_amount,
        currency_iso_code as currency_code,
        list_price as list_price_amount,
        order_item_number,
        service_date,
        end_date,
        is_deleted
    from order_item
)

select * from final
