-- grain: one row per refund of a Shopify order, of every version of the order
{{ config(entity='refund', rows='many') }}

with orders as (
    select
        _raw_id,
        from_json(payload, 'struct<
            id: text,
            currency: text,
            taxes_included: text,
            refunds: list<struct<
                id: text,
                order_id: text,
                created_at: text,
                processed_at: text,
                note: text,
                restock: text,
                refund_line_items: list<struct<
                    line_item_id: text, quantity: text, subtotal: text, total_tax: text
                >>,
                transactions: list<struct<
                    kind: text, status: text, amount: text, currency: text
                >>
            >>
        >') as shop_order
    from {{ source('shopify', 'orders') }}
),

refunds as (
    select
        _raw_id,
        shop_order['id'] as order_id,
        shop_order['currency'] as currency_code,
        coalesce(shop_order['taxes_included'], 'false') = 'true' as is_tax_included,
        unnest(shop_order['refunds']) as refund
    from orders
),

-- The two lists of a refund side by side; the null at the end keeps a refund without either.
refund_entries as (
    select
        _raw_id,
        order_id,
        currency_code,
        is_tax_included,
        refund['id'] as refund_id,
        coalesce(refund['created_at'], refund['processed_at']) as refunded_at,
        unnest(array_append(refund['transactions'], null)) as money,
        unnest(array_append(refund['refund_line_items'], null)) as line
    from refunds
),

-- What was paid back is what the transactions say. A refund without any (given as credit, or an
-- export that leaves them out) is worth its lines, with their tax where prices are without.
refunds_summed as (
    select
        _raw_id,
        order_id,
        currency_code,
        is_tax_included,
        refund_id,
        refunded_at,
        sum(
            case
                when
                    money['kind'] = 'refund'
                    and coalesce(money['status'], 'success') = 'success'
                    then to_amount(money['amount'])
            end
        ) as paid_amount,
        sum(to_amount(line['subtotal'])) as subtotal_amount,
        sum(to_amount(line['total_tax'])) as tax_amount,
        count(money['kind']) as transaction_count,
        count(money['amount']) - count(to_amount(money['amount'])) as unreadable_count,
        sum(try_cast(line['quantity'] as bigint)) as item_quantity
    from refund_entries
    group by _raw_id, order_id, currency_code, is_tax_included, refund_id, refunded_at
),

refunds_with_lines as (
    select
        *,
        coalesce(subtotal_amount, 0)
        + case when is_tax_included then 0 else coalesce(tax_amount, 0) end as line_amount
    from refunds_summed
),

final as (
    select
        _raw_id,
        refund_id,
        order_id,
        refunded_at,
        case
            -- An amount that cannot be read makes the refund unknown, not smaller.
            when unreadable_count > 0 then null
            when transaction_count > 0 then coalesce(paid_amount, 0)
            else line_amount
        end as refund_amount,
        currency_code,
        item_quantity,
        line_amount,
        tax_amount
    from refunds_with_lines
)

select * from final
