-- grain: one row per version of a Stripe invoice
{{ config(entity='invoice') }}

with invoice as (
    select * from {{ source('stripe', 'invoice') }}
),

final as (
    select
        _raw_id,
        id as invoice_id,
        number as invoice_number,
        -- A draft becomes an invoice when it is finalised.
        coalesce(status_transitions_finalized_at, finalized_at, created, date) as invoiced_at,
        status_transitions_paid_at as paid_at,
        customer_id as buyer_id,
        {{ stripe_order_number() }} as order_number,
        {{ stripe_metadata([
            'deal_id', 'hubspot_deal_id', 'opportunity_id', 'salesforce_opportunity_id'
        ]) }} as deal_id,
        status,
        -- No sale: a draft is none yet, what nobody will pay is none any more, and one over nothing
        -- (a trial, a full discount) never was.
        lower(coalesce(status, '')) in ('draft', 'void', 'uncollectible', 'deleted')
        or coalesce(to_boolean(is_deleted), false)
        or not coalesce(to_boolean(livemode), true)
        or coalesce(to_amount(total) = 0, false) as is_void,
        {{ amount_of_smallest_unit('total', 'currency') }} as gross_amount,
        {{ amount_of_smallest_unit('tax', 'currency') }} as tax_amount,
        upper(currency) as currency_code,
        {{ amount_of_smallest_unit('subtotal', 'currency') }} as subtotal_amount,
        {{ amount_of_smallest_unit('amount_due', 'currency') }} as due_amount,
        {{ amount_of_smallest_unit('amount_paid', 'currency') }} as paid_amount,
        {{ amount_of_smallest_unit('amount_remaining', 'currency') }} as remaining_amount,
        {{ amount_of_smallest_unit('pre_payment_credit_notes_amount', 'currency') }}
            as credited_before_payment_amount,
        {{ amount_of_smallest_unit('post_payment_credit_notes_amount', 'currency') }}
            as credited_after_payment_amount,
        billing_reason,
        subscription_id,
        charge_id,
        payment_intent_id,
        due_date as due_at,
        period_start as period_started_at,
        period_end as period_ended_at,
        status_transitions_voided_at as voided_at,
        status_transitions_marked_uncollectible_at as uncollectible_at,
        livemode as is_live,
        is_deleted
    from invoice
)

select * from final
