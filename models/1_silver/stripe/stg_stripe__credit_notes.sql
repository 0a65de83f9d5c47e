-- grain: one row per version of a credit note that gave something back in another way than a refund
-- Where it goes with a refund, the refund is the record. Before the payment it lowers what is owed;
-- after it, it is put to the customer's credit.
{{ config(entity='refund', rows='some') }}

with credit_note as (
    select * from {{ source('stripe', 'credit_note') }}
    where
        refund_id is null
        and (
            lower(type) = 'pre_payment'
            or coalesce(customer_balance_transaction, customer_balance_transaction_id) is not null
        )
        and coalesce(to_boolean(livemode), true)
),

final as (
    select
        _raw_id,
        id as refund_id,
        invoice_id as order_id,
        created as refunded_at,
        case
            when lower(status) = 'void' then '0'
            else {{ amount_of_smallest_unit('amount', 'currency') }}
        end as refund_amount,
        upper(currency) as currency_code,
        reason,
        status,
        number as credit_note_number,
        type as credit_note_type,
        voided_at
    from credit_note
)

select * from final
