-- grain: one row per version of a charge that succeeded and pays no invoice
-- A charge that pays an invoice is no sale beside it; one that failed is none at all.
{{ config(entity='order', rows='some') }}

with charge as (
    select
        *,
        {{ stripe_order_number() }} as paid_order_number
    from {{ source('stripe', 'charge') }}
    where status = 'succeeded' and invoice_id is null
),

{{ stripe_invoice_of_charge(project.sources[source_name].streams) }},

sold as (
    select charge.*
    from charge
    left anti join invoice_of_charge on charge.id = invoice_of_charge.charge_id
),

-- A charge that names an order is a payment for it, and another model gives it as such. As an order
-- of its own it does not count: metadata may come later, and one payment must not be two sales.
final as (
    select
        _raw_id,
        id as order_id,
        -- What a website knows of a payment and sends as transaction id.
        case
            when paid_order_number is null then coalesce(payment_intent_id, id)
            else id
        end as order_number,
        created as ordered_at,
        customer_id as buyer_id,
        {{ stripe_metadata(['site_user_id', 'user_id']) }} as user_id,
        coalesce(receipt_email, billing_detail_email) as email,
        coalesce(billing_detail_phone, shipping_phone) as phone,
        regexp_replace(
            {{ stripe_metadata(['ga_client_id', 'google_client_id']) }},
            '^GA[0-9]+[.][0-9]+[.]',
            ''
        ) as anonymous_id,
        status,
        -- Not captured, it is a promise of the bank and no money yet.
        paid_order_number is not null
        or not coalesce(to_boolean(captured), true) as is_cancelled,
        not coalesce(to_boolean(livemode), true) as is_test,
        {{ amount_of_smallest_unit('amount', 'currency') }} as gross_amount,
        upper(currency) as currency_code,
        coalesce(shipping_address_country, billing_detail_address_country) as country,
        coalesce(shipping_address_state, billing_detail_address_state) as region,
        coalesce(shipping_address_city, billing_detail_address_city) as city,
        paid_order_number,
        payment_intent_id,
        to_boolean(captured) as is_captured,
        {{ amount_of_smallest_unit('amount_refunded', 'currency') }} as refunded_amount,
        statement_descriptor
    from sold
)

select * from final
