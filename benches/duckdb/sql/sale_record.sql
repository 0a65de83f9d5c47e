-- Records of sales: shop order, won deal, web purchase. Those of one sale share a sale_reference:
-- the order number that trackers send as transaction id and that a deal carries.
with purchase as (
    from web_conversion
    where event_type in ('purchase', 'in_app_purchase', 'ecommerce_purchase')
),

won_deal as (
    select *, coalesce(closed_at, effective_at, created_at) as won_at
    from (
        from deal
        qualify row_number() over (partition by deal_id order by effective_at desc nulls last) = 1
    )
    where is_won and not is_deleted
),

deal_person as (
    select deal_id, min(contact_id) as contact_id from deal_contact group by deal_id
),

named as (
    select order_number as reference, order_id, order_number, ordered_at from order_fact
    union
    select order_id, order_id, order_number, ordered_at from order_fact
),

shared_number as (
    select order_number from order_fact group by order_number having count(*) > 1
),

mention as (
    select 'web' as record_type, event_id as record_hash, order_reference, event_at as mentioned_at
    from purchase
    where order_reference is not null
    union all
    select 'deal', hash(deal_id), order_reference, won_at from won_deal
    where order_reference is not null
),

-- Of several orders with that number, the nearest.
resolved as (
    select
        mention.record_type,
        mention.record_hash,
        case
            when order_id is null then 'order ' || mention.order_reference
            when order_number in (from shared_number) then 'order ' || order_id
            else 'order ' || order_number
        end as sale_reference
    from mention
    left join named on mention.order_reference = named.reference
    qualify row_number() over (
        partition by mention.record_type, mention.record_hash
        order by abs(epoch(mentioned_at) - epoch(ordered_at)), order_id
    ) = 1
),

record as (
    select
        'order' as record_type,
        2 as precedence,
        order_key as record_hash,
        'order ' || case
            when order_number in (from shared_number) then order_id else order_number
        end as sale_reference,
        ordered_at as recorded_at,
        identity_node,
        cast(null as ubigint) as session_key,
        order_id,
        cast(null as text) as deal_id,
        gross_amount,
        net_amount,
        currency_code,
        item_quantity,
        not is_cancelled and not is_test as is_valid,
        case when is_test then 'test order' when is_cancelled then 'cancelled order' end
            as invalid_reason
    from order_fact
    union all
    select
        'deal', 3, hash(won_deal.deal_id),
        coalesce(resolved.sale_reference, 'deal ' || won_deal.deal_id),
        won_at, coalesce(node(2, deal_person.contact_id), 0), null, null, won_deal.deal_id,
        coalesce(amount, 0), coalesce(amount, 0), coalesce(currency_code, 'USD'), null, true, null
    from won_deal
    left join resolved
        on resolved.record_type = 'deal' and hash(won_deal.deal_id) = resolved.record_hash
    left join deal_person on won_deal.deal_id = deal_person.deal_id
    union all
    select
        'web', 4, event_id,
        coalesce(resolved.sale_reference, concat('web ', coalesce(session_key, event_id), ' ',
            coalesce(revenue_amount::text, '-'), ' ', coalesce(currency_code, '-'))),
        event_at, identity_node, session_key, null, null,
        coalesce(revenue_amount, 0),
        coalesce(revenue_amount, 0) - coalesce(tax_amount, 0) - coalesce(shipping_amount, 0),
        coalesce(currency_code, 'USD'), item_quantity, true, null
    from purchase
    left join resolved
        on resolved.record_type = 'web' and purchase.event_id = resolved.record_hash
),

-- What the shop cancelled or only tried out is no sale, whatever else records it.
judged as (
    select
        *,
        min(invalid_reason) filter (record_type = 'order' and not is_valid)
            over (partition by sale_reference) as order_reason,
        bool_or(record_type = 'order' and is_valid) over (partition by sale_reference)
            as has_valid_order
    from record
),

settled as (
    select
        * exclude (is_valid, order_reason, has_valid_order),
        is_valid and (order_reason is null or has_valid_order) as is_valid,
        case when not has_valid_order then order_reason end as reason
    from judged
)

select
    * exclude (invalid_reason, reason),
    coalesce(invalid_reason, reason) as reason,
    hash('sale', sale_reference) as conversion_id,
    row_number() over (
        partition by sale_reference, is_valid
        order by precedence, gross_amount = 0, recorded_at, record_hash
    ) as place,
    is_valid and place = 1 as is_of_record
from settled
