{#- What Stripe's models share. -#}

{#- Money of a whole number in the smallest unit of its currency, exact. Stripe's own list: these
    currencies have no smaller unit, those have thousandths, all others hundredths (ISK and UGX too,
    which Stripe counts in hundredths that are always 00). Text that is no number passes through as
    it is, so that the runner quarantines the row and says why. Without a currency nobody knows. -#}
{%- macro amount_of_smallest_unit(column, currency) -%}
case
            when {{ currency }} is null then null
            else coalesce(
                cast(
                    try_cast({{ column }} as decimal(26, 6)) * case
                        when lower({{ currency }}) in (
                            'bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf',
                            'vnd', 'vuv', 'xaf', 'xof', 'xpf'
                        ) then cast('1' as decimal(4, 3))
                        when lower({{ currency }}) in ('bhd', 'jod', 'kwd', 'omr', 'tnd')
                            then cast('0.001' as decimal(4, 3))
                        else cast('0.01' as decimal(4, 3))
                    end as text
                ),
                {{ column }}
            )
        end
{%- endmacro -%}

{#- What somebody wrote into `metadata`, under the first of `keys` that is filled. -#}
{%- macro stripe_metadata(keys) -%}
nullif(
            trim(
                coalesce(
                    {%- for key in keys %}
                    nullif(json_text(metadata, '{{ key }}'), ''){{ ',' if not loop.last }}
                    {%- endfor %}
                )
            ),
            ''
        )
{%- endmacro -%}

{#- The order that a charge or an invoice says it is for, as the shop calls it. -#}
{%- macro stripe_order_number() -%}
{{ stripe_metadata([
            'order_number', 'order_id', 'shop_order_number', 'shop_order_id',
            'shopify_order_number', 'shopify_order_id', 'ecommerce_order_number', 'transaction_id'
        ]) }}
{%- endmacro -%}

{#- The CTE `invoice_of_charge`: the invoice that a charge pays, once per charge, by the streams
    that are there. Charges name their invoice, and invoices their latest charge, only where a
    connection uses an older version of the API. With a newer one it is the charge of the same
    customer over what was paid, while the invoice was open. -#}
{%- macro stripe_invoice_of_charge(streams) -%}
invoice_of_charge_named as (
    select
        cast(null as text) as charge_id,
        cast(null as text) as invoice_id
    where false
    {%- if 'charge' in streams %}
    union all
    select
        id as charge_id,
        invoice_id
    from {{ source('stripe', 'charge') }}
    where invoice_id is not null
    {%- endif %}
    {%- if 'invoice' in streams %}
    union all
    select
        charge_id,
        id as invoice_id
    from {{ source('stripe', 'invoice') }}
    where charge_id is not null
    {%- endif %}
    {%- if 'charge' in streams and 'invoice' in streams %}
    union all
    select
        charge.id as charge_id,
        invoice.id as invoice_id
    from {{ source('stripe', 'charge') }} as charge
    inner join {{ source('stripe', 'invoice') }} as invoice
        on charge.payment_intent_id = invoice.payment_intent_id
    union all
    select
        charge.id as charge_id,
        invoice.id as invoice_id
    from {{ source('stripe', 'charge') }} as charge
    inner join {{ source('stripe', 'invoice') }} as invoice
        on
            charge.customer_id = invoice.customer_id
            and charge.amount = invoice.amount_paid
            and charge.currency = invoice.currency
    where
        charge.status = 'succeeded'
        and charge.invoice_id is null
        and invoice.charge_id is null
        and invoice.payment_intent_id is null
        and substr(charge.created, 1, 10) >= substr(
            coalesce(
                invoice.status_transitions_finalized_at,
                invoice.finalized_at,
                invoice.created,
                invoice.date
            ),
            1,
            10
        )
        and substr(charge.created, 1, 10) <= substr(invoice.status_transitions_paid_at, 1, 10)
    {%- endif %}
),

invoice_of_charge as (
    select
        charge_id,
        min(invoice_id) as invoice_id
    from invoice_of_charge_named
    group by charge_id
)
{%- endmacro -%}
