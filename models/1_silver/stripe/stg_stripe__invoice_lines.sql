-- grain: one row per version of a line of a Stripe invoice
-- It promises no entity: lines of an invoice are often shares of a period, and no order's items.
{{ config(materialized='table', rows='one') }}

with invoice_line_item as (
    select * from {{ source('stripe', 'invoice_line_item') }}
),

final as (
    select
        _raw_id,
        coalesce(unique_id, id) as line_id,
        '{{ source_name }}:' || invoice_id as invoice_id,
        type as line_type,
        price_id,
        plan_id,
        subscription_id,
        quantity,
        {{ amount_of_smallest_unit('amount', 'currency') }} as line_amount,
        upper(currency) as currency_code,
        proration as is_proration,
        period_start as period_started_at,
        period_end as period_ended_at
    from invoice_line_item
)

select * from final
