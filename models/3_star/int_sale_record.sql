-- grain: one row per record of a sale: invoice, shop order, won deal or web purchase
{{ config(materialized='table', share=['order_sale', 'resolved_record', 'deal_sale']) }}

-- Records of one sale share a sale_reference. What makes it: the order number, that a tracker sends
-- as transaction id, that a deal and an invoice carry; and the deal that an invoice names. Which of
-- these count, `int_sale_match` says.
with candidate as (
    select * from {{ ref('int_sale_candidate') }}
),

match as (
    select record_type, record_id, sale_key, reference, matched_id, standing, recorded_at
    from {{ ref('int_sale_match') }}
),

shop_order as (
    select record_id as order_id, order_reference as order_number from candidate
    where record_type = 'order'
),

shared_number as (
    select order_number
    from shop_order
    group by order_number
    having count(*) > 1
),

order_sale as (
    select
        shop_order.order_id,
        case
            when shared_number.order_number is not null then concat('order ', shop_order.order_id)
            else concat('order ', shop_order.order_number)
        end as sale_reference
    from shop_order
    left join shared_number on shop_order.order_number = shared_number.order_number
),

resolved as (
    select
        match.record_type,
        match.record_id,
        case
            when match.standing = 'matched' then order_sale.sale_reference
            when match.standing = 'no such record' then concat('order ', match.reference)
            -- The number is not believed: records of it are one sale of that day, not the order's.
            when match.standing <> 'key not used'
                then concat(
                    'order ', match.reference, ' ', cast(cast(match.recorded_at as date) as text)
                )
            when match.record_type = 'web' then concat('web order ', match.reference)
        end as sale_reference,
        row_number() over (
            partition by match.record_type, match.record_id
            order by match.standing = 'matched' desc, match.sale_key
        ) as place
    from match
    left join order_sale on match.matched_id = order_sale.order_id
    where match.sale_key in ('transaction_id', 'order_number', 'customer')
),

resolved_record as (
    select record_type, record_id, sale_reference from resolved
    where place = 1
),

invoice_of_deal as (
    select record_id as invoice_id, matched_id as deal_id from match
    where sale_key = 'deal_id' and standing = 'matched'

    union all

    select matched_id as invoice_id, record_id as deal_id from match
    where sale_key = 'invoice_number' and standing = 'matched'
),

deal_by_invoice as (
    select invoice_of_deal.deal_id, min(resolved_record.sale_reference) as sale_reference
    from invoice_of_deal
    inner join resolved_record
        on
            resolved_record.record_type = 'invoice'
            and invoice_of_deal.invoice_id = resolved_record.record_id
    group by invoice_of_deal.deal_id
),

deal_sale as (
    select
        candidate.record_id as deal_id,
        coalesce(
            resolved_record.sale_reference,
            deal_by_invoice.sale_reference,
            concat('deal ', candidate.record_id)
        ) as sale_reference
    from candidate
    left join resolved_record
        on
            resolved_record.record_type = 'deal'
            and candidate.record_id = resolved_record.record_id
    left join deal_by_invoice on candidate.record_id = deal_by_invoice.deal_id
    where candidate.record_type = 'deal'
),

invoice_by_deal as (
    select invoice_of_deal.invoice_id, min(deal_sale.sale_reference) as sale_reference
    from invoice_of_deal
    inner join deal_sale on invoice_of_deal.deal_id = deal_sale.deal_id
    group by invoice_of_deal.invoice_id
),

sale_of_record as (
    select order_id as record_id, 'order' as record_type, sale_reference from order_sale

    union all

    select deal_id as record_id, 'deal' as record_type, sale_reference from deal_sale

    union all

    select
        candidate.record_id,
        'invoice' as record_type,
        coalesce(
            resolved_record.sale_reference,
            invoice_by_deal.sale_reference,
            concat('invoice ', candidate.record_id)
        ) as sale_reference
    from candidate
    left join resolved_record
        on
            resolved_record.record_type = 'invoice'
            and candidate.record_id = resolved_record.record_id
    left join invoice_by_deal on candidate.record_id = invoice_by_deal.invoice_id
    where candidate.record_type = 'invoice'

    union all

    -- Without a transaction id, the same amount twice in one session is one purchase.
    select
        candidate.record_id,
        'web' as record_type,
        coalesce(
            resolved_record.sale_reference,
            concat(
                'web ', coalesce(cast(candidate.session_id as text), candidate.record_id), ' ',
                coalesce(cast(candidate.stated_amount as text), '-'), ' ',
                coalesce(candidate.stated_currency_code, '-')
            )
        ) as sale_reference
    from candidate
    left join resolved_record
        on resolved_record.record_type = 'web' and candidate.record_id = resolved_record.record_id
    where candidate.record_type = 'web'
),

record as (
    select
        candidate.*,
        {{ sale_precedence('candidate.record_kind') }} as precedence,
        sale_of_record.sale_reference
    from candidate
    inner join sale_of_record
        on
            candidate.record_type = sale_of_record.record_type
            and candidate.record_id = sale_of_record.record_id
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
