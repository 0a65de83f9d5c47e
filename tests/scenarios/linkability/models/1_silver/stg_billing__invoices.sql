-- grain: one row per invoice
{{ config(entity='invoice') }}

with given as (
    select * from {{ source('billing', 'rows') }}
),

final as (
    select
        _raw_id,
        id as invoice_id,
        no as invoice_number,
        at as invoiced_at,
        total as gross_amount,
        tax as tax_amount,
        order_no as order_number,
        deal as deal_id
    from given
)

select * from final
