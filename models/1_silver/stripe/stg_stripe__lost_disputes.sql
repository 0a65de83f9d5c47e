-- grain: one row per version of a dispute that the bank decided for its customer
-- While a dispute is open nobody knows, and one that was won took nothing.
{{ config(entity='refund', rows='some') }}

with dispute as (
    select * from {{ source('stripe', 'dispute') }}
    where lower(status) = 'lost' and coalesce(to_boolean(livemode), true)
),

{{ stripe_invoice_of_charge(project.sources[source_name].streams) }},

final as (
    select
        dispute._raw_id,
        dispute.id as refund_id,
        coalesce(invoice_of_charge.invoice_id, dispute.charge_id) as order_id,
        -- Stripe takes the money on the day on which the dispute begins.
        dispute.created as refunded_at,
        {{ amount_of_smallest_unit('dispute.amount', 'dispute.currency') }} as refund_amount,
        upper(dispute.currency) as currency_code,
        concat('dispute: ', coalesce(dispute.reason, 'unknown')) as reason,
        dispute.status,
        dispute.charge_id
    from dispute
    left join invoice_of_charge on dispute.charge_id = invoice_of_charge.charge_id
)

select * from final
