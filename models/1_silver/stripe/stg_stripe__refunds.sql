-- grain: one row per version of a Stripe refund
{{ config(entity='refund') }}

with refund as (
    select * from {{ source('stripe', 'refund') }}
),

{{ stripe_invoice_of_charge(project.sources[source_name].streams) }},

-- Of a charge that pays an invoice, the sale is the invoice; of another it is the charge.
final as (
    select
        refund._raw_id,
        refund.id as refund_id,
        coalesce(invoice_of_charge.invoice_id, refund.charge_id) as order_id,
        refund.created as refunded_at,
        -- A refund may fail weeks later: then nothing was given back.
        case
            when lower(refund.status) in ('failed', 'canceled', 'requires_action') then '0'
            else {{ amount_of_smallest_unit('refund.amount', 'refund.currency') }}
        end as refund_amount,
        upper(refund.currency) as currency_code,
        refund.reason,
        refund.status,
        refund.charge_id,
        refund.payment_intent_id,
        refund.failure_reason
    from refund
    left join invoice_of_charge on refund.charge_id = invoice_of_charge.charge_id
)

select * from final
