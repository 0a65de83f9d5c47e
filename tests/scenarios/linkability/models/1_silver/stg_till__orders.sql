-- grain: one row per order
{{ config(entity='order') }}

with given as (
    select * from {{ source('till', 'rows') }}
),

final as (
    select
        _raw_id,
        no as order_id,
        no as order_number,
        at as ordered_at,
        total as gross_amount,
        ga as anonymous_id
    from given
)

select * from final
