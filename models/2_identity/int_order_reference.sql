-- grain: one row per text that names an order, and order that it names
{{ config(materialized='table') }}

-- Trackers send the order's number or the shop's own id as transaction id: both find the order.
with shop_order as (
    select
        order_id,
        ordered_at,
        coalesce({{ order_reference('order_number') }}, {{ bare_id('order_id') }}) as order_number,
        {{ bare_id('order_id') }} as shop_reference
    from {{ entity('order') }}
),

named as (
    select order_id, ordered_at, order_number, order_number as reference from shop_order
    union all
    select order_id, ordered_at, order_number, shop_reference as reference
    from shop_order
    where shop_reference <> order_number
),

final as (
    select
        reference,
        order_id,
        order_number,
        ordered_at,
        count(*) over (partition by reference) > 1 as is_ambiguous
    from named
)

select * from final
