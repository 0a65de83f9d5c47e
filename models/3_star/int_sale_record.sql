-- grain: one row per record of a sale: invoice, shop order, won deal or web purchase
{{ config(materialized='table') }}

{%- set reporting = project.reporting.currency %}

-- Records of one sale share a sale_reference. What makes it: the order number, that a tracker sends
-- as transaction id, that a deal and an invoice carry; and the deal that an invoice names.
with shop_order as (
    select
        order_id, order_number, ordered_at, identity_node_id, account_key, source_name,
        gross_amount, net_amount, currency_code, item_quantity, is_cancelled, is_test
    from {{ ref('fct_order') }}
),

web_purchase as (
    select
        event_id, event_at, order_reference, session_id, identity_node_id, source_name,
        revenue_amount, tax_amount, shipping_amount, currency_code, item_quantity
    from {{ ref('int_web_conversion') }}
    where event_type in ({{ purchase_event_names() }})
),

deal_version as (
    select
        *,
        row_number() over (
            partition by deal_id order by effective_at desc nulls last, _raw_id desc
        ) as place
    from {{ entity('deal') }}
),

won_deal as (
    select
        deal_id,
        coalesce(closed_at, effective_at, created_at) as closed_at,
        {{ order_reference('order_id') }} as order_reference,
        {{ order_reference('invoice_id') }} as invoice_reference,
        account_id,
        amount,
        currency_code,
        source_name
    from deal_version
    where place = 1 and is_won and not coalesce(is_deleted, false)
),

-- The person of a deal: its primary contact, else the first.
deal_contact as (
    select
        deal_id,
        contact_id,
        row_number() over (
            partition by deal_id order by coalesce(is_primary, false) desc, contact_id
        ) as place
    from {{ entity('deal_contact') }}
),

invoice as (
    select
        *,
        {{ order_reference('order_number') }} as order_reference,
        {{ order_reference('invoice_number') }} as invoice_reference,
        {{ bare_id('invoice_id') }} as bare_invoice_id
    from {{ entity('invoice') }}
),

-- Every mention of an order finds the order it means: of several with that number, the nearest.
mention as (
    select 'web' as record_type, cast(event_id as text) as record_id, order_reference, event_at
        as mentioned_at
    from web_purchase
    where order_reference is not null

    union all

    select 'deal' as record_type, deal_id as record_id, order_reference, closed_at as mentioned_at
    from won_deal
    where order_reference is not null

    union all

    select 'invoice' as record_type, invoice_id as record_id, order_reference, invoiced_at
        as mentioned_at
    from invoice
    where order_reference is not null
),

mention_of_order as (
    select
        mention.record_type,
        mention.record_id,
        mention.order_reference,
        order_reference.order_id,
        order_reference.order_number,
        row_number() over (
            partition by mention.record_type, mention.record_id
            order by
                abs(
                    date_part('epoch', mention.mentioned_at)
                    - date_part('epoch', order_reference.ordered_at)
                ),
                order_reference.order_id
        ) as place
    from mention
    left join {{ ref('int_order_reference') }} as order_reference
        on mention.order_reference = order_reference.reference
),

shared_number as (
    select order_number
    from shop_order
    group by order_number
    having count(*) > 1
),

resolved as (
    select
        mention_of_order.record_type,
        mention_of_order.record_id,
        case
            when mention_of_order.order_id is null
                then concat('order ', mention_of_order.order_reference)
            when shared_number.order_number is not null
                then concat('order ', mention_of_order.order_id)
            else concat('order ', mention_of_order.order_number)
        end as sale_reference
    from mention_of_order
    left join shared_number on mention_of_order.order_number = shared_number.order_number
    where mention_of_order.place = 1
),

invoice_of_deal as (
    select invoice.invoice_id, won_deal.deal_id
    from invoice
    inner join won_deal on invoice.deal_id = {{ bare_id('won_deal.deal_id') }}

    union all

    select invoice.invoice_id, won_deal.deal_id
    from won_deal
    inner join invoice on won_deal.invoice_reference = invoice.invoice_reference

    union all

    select invoice.invoice_id, won_deal.deal_id
    from won_deal
    inner join invoice on won_deal.invoice_reference = invoice.bare_invoice_id
),

deal_by_invoice as (
    select invoice_of_deal.deal_id, min(resolved.sale_reference) as sale_reference
    from invoice_of_deal
    inner join resolved
        on resolved.record_type = 'invoice' and invoice_of_deal.invoice_id = resolved.record_id
    group by invoice_of_deal.deal_id
),

deal_sale as (
    select
        won_deal.deal_id,
        coalesce(
            resolved.sale_reference,
            deal_by_invoice.sale_reference,
            concat('deal ', won_deal.deal_id)
        ) as sale_reference
    from won_deal
    left join resolved
        on resolved.record_type = 'deal' and won_deal.deal_id = resolved.record_id
    left join deal_by_invoice on won_deal.deal_id = deal_by_invoice.deal_id
),

invoice_by_deal as (
    select invoice_of_deal.invoice_id, min(deal_sale.sale_reference) as sale_reference
    from invoice_of_deal
    inner join deal_sale on invoice_of_deal.deal_id = deal_sale.deal_id
    group by invoice_of_deal.invoice_id
),

record as (
    select
        'invoice' as record_type,
        -- One that states no tax is a payment: the order knows more.
        case when invoice.tax_amount is null then 3 else 1 end as precedence,
        invoice.invoice_id as record_id,
        coalesce(
            resolved.sale_reference,
            invoice_by_deal.sale_reference,
            concat('invoice ', invoice.invoice_id)
        ) as sale_reference,
        invoice.invoiced_at as recorded_at,
        coalesce(
            {{ node_key('buyer', 'invoice.buyer_id') }},
            {{ node_key('email', 'invoice.email_hash') }},
            0
        ) as identity_node_id,
        cast(null as bigint) as session_id,
        {{ member_key('account', 'invoice.account_id') }} as account_key,
        cast(null as text) as order_id,
        cast(null as text) as deal_id,
        invoice.source_name,
        invoice.gross_amount,
        cast(
            {{ net_revenue('invoice.gross_amount', 'invoice.tax_amount', no_money()) }}
            as decimal(18, 6)
        )
            as net_amount,
        upper(coalesce(invoice.currency_code, '{{ reporting }}')) as currency_code,
        cast(null as bigint) as item_quantity,
        not coalesce(invoice.is_void, false) as is_valid,
        case when invoice.is_void then 'void invoice' end as invalid_reason
    from invoice
    left join resolved
        on resolved.record_type = 'invoice' and invoice.invoice_id = resolved.record_id
    left join invoice_by_deal on invoice.invoice_id = invoice_by_deal.invoice_id

    union all

    select
        'order' as record_type,
        2 as precedence,
        shop_order.order_id as record_id,
        case
            when shared_number.order_number is not null then concat('order ', shop_order.order_id)
            else concat('order ', shop_order.order_number)
        end as sale_reference,
        shop_order.ordered_at as recorded_at,
        shop_order.identity_node_id,
        cast(null as bigint) as session_id,
        shop_order.account_key,
        shop_order.order_id,
        cast(null as text) as deal_id,
        shop_order.source_name,
        shop_order.gross_amount,
        shop_order.net_amount,
        shop_order.currency_code,
        shop_order.item_quantity,
        not shop_order.is_cancelled and not shop_order.is_test as is_valid,
        case
            when shop_order.is_test then 'test order'
            when shop_order.is_cancelled then 'cancelled order'
        end as invalid_reason
    from shop_order
    left join shared_number on shop_order.order_number = shared_number.order_number

    union all

    select
        'deal' as record_type,
        4 as precedence,
        won_deal.deal_id as record_id,
        deal_sale.sale_reference,
        won_deal.closed_at as recorded_at,
        coalesce({{ node_key('contact', 'deal_contact.contact_id') }}, 0) as identity_node_id,
        cast(null as bigint) as session_id,
        {{ member_key('account', 'won_deal.account_id') }} as account_key,
        cast(null as text) as order_id,
        won_deal.deal_id,
        won_deal.source_name,
        coalesce(won_deal.amount, {{ no_money() }}) as gross_amount,
        coalesce(won_deal.amount, {{ no_money() }}) as net_amount,
        upper(coalesce(won_deal.currency_code, '{{ reporting }}')) as currency_code,
        cast(null as bigint) as item_quantity,
        true as is_valid,
        cast(null as text) as invalid_reason
    from won_deal
    inner join deal_sale on won_deal.deal_id = deal_sale.deal_id
    left join deal_contact on won_deal.deal_id = deal_contact.deal_id and deal_contact.place = 1

    union all

    -- Without a transaction id, the same amount twice in one session is one purchase.
    select
        'web' as record_type,
        5 as precedence,
        cast(web_purchase.event_id as text) as record_id,
        coalesce(
            resolved.sale_reference,
            concat(
                'web ', cast(coalesce(web_purchase.session_id, web_purchase.event_id) as text), ' ',
                coalesce(cast(web_purchase.revenue_amount as text), '-'), ' ',
                coalesce(web_purchase.currency_code, '-')
            )
        ) as sale_reference,
        web_purchase.event_at as recorded_at,
        web_purchase.identity_node_id,
        web_purchase.session_id,
        cast(0 as bigint) as account_key,
        cast(null as text) as order_id,
        cast(null as text) as deal_id,
        web_purchase.source_name,
        coalesce(web_purchase.revenue_amount, {{ no_money() }}) as gross_amount,
        cast(
            {{ net_revenue('web_purchase.revenue_amount', 'web_purchase.tax_amount',
                'web_purchase.shipping_amount') }} as decimal(18, 6)
        ) as net_amount,
        upper(coalesce(web_purchase.currency_code, '{{ reporting }}')) as currency_code,
        web_purchase.item_quantity,
        true as is_valid,
        cast(null as text) as invalid_reason
    from web_purchase
    left join resolved
        on
            resolved.record_type = 'web'
            and cast(web_purchase.event_id as text) = resolved.record_id
),

-- What the shop cancelled or only tried out is no sale, whatever else records it.
judged as (
    select
        *,
        min(case when record_type = 'order' and not is_valid then invalid_reason end)
            over (partition by sale_reference) as order_reason,
        bool_or(record_type = 'order' and is_valid) over (partition by sale_reference)
            as has_valid_order
    from record
),

settled as (
    select
        *,
        is_valid and (order_reason is null or has_valid_order) as counts,
        coalesce(invalid_reason, case when not has_valid_order then order_reason end) as reason
    from judged
),

ranked as (
    select
        *,
        row_number() over (
            partition by sale_reference, counts
            order by precedence, gross_amount = 0, recorded_at, record_id
        ) as place,
        min(precedence) over (partition by sale_reference, counts) as best_precedence
    from settled
),

leading as (
    select
        *,
        first_value(currency_code) over (
            partition by sale_reference, counts order by place
        ) as leading_currency_code
    from ranked
),

final as (
    select
        durable_key('conversion', 'sale', sale_reference) as conversion_id,
        sale_reference,
        record_type,
        record_id,
        recorded_at,
        identity_node_id,
        session_id,
        account_key,
        order_id,
        deal_id,
        source_name,
        gross_amount,
        net_amount,
        currency_code,
        item_quantity,
        counts as is_valid,
        -- Several invoices of one sale add up; of anything else the first one counts.
        counts
        and precedence = best_precedence
        and (place = 1 or (record_type = 'invoice' and currency_code = leading_currency_code))
            as is_of_record,
        case
            when not counts then reason
            when
                precedence = best_precedence
                and (
                    place = 1
                    or (record_type = 'invoice' and currency_code = leading_currency_code)
                )
                then 'of record'
            when precedence = best_precedence then concat('duplicate ', record_type)
            else 'same sale'
        end as standing,
        place
    from leading
)

select * from final
