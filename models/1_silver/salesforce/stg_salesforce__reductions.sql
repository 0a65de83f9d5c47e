-- grain: one row per Salesforce order that reduces another
{{ config(entity='refund', rows='some') }}

with orders as (
    select * from {{ source('salesforce', 'order') }}
    where
        lower(is_reduction_order) in ('true', '1', 't', 'yes')
        and lower(coalesce(status_code, status)) = 'activated'
        and lower(coalesce(is_deleted, 'false')) not in ('true', '1', 't', 'yes')
),

final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        id as refund_id,
        original_order_id as order_id,
        coalesce(activated_date, created_date) as refunded_at,
        -- The total of a reduction is negative.
        ltrim(total_amount, '-') as refund_amount,
        currency_iso_code as currency_code,
        type as reason,
        order_number
    from orders
)

select * from final
