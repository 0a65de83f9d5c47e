-- grain: one row per won deal
{{ config(entity='deal') }}

with given as (
    select * from {{ source('crm', 'deals') }}
),

final as (
    select
        _raw_id,
        id as deal_id,
        won as closed_at,
        won as created_at,
        true as is_won,
        true as is_closed,
        amount,
        order_no as order_id,
        invoice as invoice_id
    from given
)

select * from final
