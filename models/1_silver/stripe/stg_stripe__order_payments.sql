-- grain: one row per version of a charge that names an order of a shop and pays no invoice
-- As an invoice of that order it is one sale with it, whether the shop's orders are here or not.
{{ config(entity='invoice', rows='some') }}

with charge as (
    select
        *,
        {{ stripe_order_number() }} as paid_order_number
    from {{ source('stripe', 'charge') }}
    where status = 'succeeded' and invoice_id is null
),

{{ stripe_invoice_of_charge(project.sources[source_name].streams) }},

paid as (
    select charge.*
    from charge
    left anti join invoice_of_charge on charge.id = invoice_of_charge.charge_id
    where charge.paid_order_number is not null
),

final as (
    select
        _raw_id,
        id as invoice_id,
        created as invoiced_at,
        created as paid_at,
        customer_id as buyer_id,
        coalesce(receipt_email, billing_detail_email) as email,
        paid_order_number as order_number,
        status,
        not coalesce(to_boolean(captured), true)
        or not coalesce(to_boolean(livemode), true) as is_void,
        {{ amount_of_smallest_unit('amount', 'currency') }} as gross_amount,
        upper(currency) as currency_code,
        payment_intent_id
    from paid
)

select * from final
