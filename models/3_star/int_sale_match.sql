-- grain: one row per record of a sale, key, and record that it names by that key (or none)
{{ config(materialized='table') }}

{%- set by_customer %}
{%- for type in ['web', 'deal', 'invoice'] if uses_sale_key(type ~ '.customer') -%}
'{{ type }}', {% endfor %}
{%- endset %}

with candidate as (
    select
        record_type, record_id, source_name, recorded_at, order_reference, invoice_reference,
        deal_reference, bare_record_id, identity_node_id, gross_amount, net_amount, currency_code,
        is_valid
    from {{ ref('int_sale_candidate') }}
),

shop_order as (
    select * from candidate where record_type = 'order'
),

invoice as (
    select * from candidate where record_type = 'invoice'
),

won_deal as (
    select * from candidate where record_type = 'deal'
),

-- Every mention of an order finds the order it means: of several with that number, the nearest.
mention as (
    select
        *,
        case when record_type = 'web' then 'transaction_id' else 'order_number' end as sale_key,
        case record_type
            {%- for type in ['web', 'deal', 'invoice'] %}
            {%- set key = 'transaction_id' if type == 'web' else 'order_number' %}
            when '{{ type }}' then {{ uses_sale_key(type ~ '.' ~ key) or 'false' }}
            {%- endfor %}
        end as is_used
    from candidate
    where record_type in ('web', 'deal', 'invoice') and order_reference is not null
),

named_order as (
    select
        mention.*,
        mention.order_reference as reference,
        'order' as matched_type,
        order_reference.order_id as matched_id,
        shop_order.source_name as matched_source,
        {{ days_between('mention.recorded_at', 'order_reference.ordered_at') }} as days_apart,
        {{ amount_difference('mention', 'shop_order') }} as amount_difference
    from mention
    left join {{ ref('int_order_reference') }} as order_reference
        on mention.order_reference = order_reference.reference
    left join shop_order on order_reference.order_id = shop_order.record_id
),

judged_order as (
    select *, {{ sale_obstacle() }} as obstacle from named_order
),

nearest_order as (
    select
        *,
        row_number() over (
            partition by record_type, record_id
            order by obstacle is not null, days_apart, matched_id
        ) as place
    from judged_order
),

-- An invoice names its deal, a deal its invoice: by the number on the paper or by the id.
named_deal as (
    select
        invoice.*,
        'deal_id' as sale_key,
        {{ uses_sale_key('invoice.deal_id') or 'false' }} as is_used,
        invoice.deal_reference as reference,
        'deal' as matched_type,
        won_deal.record_id as matched_id,
        won_deal.source_name as matched_source,
        {{ days_between('invoice.recorded_at', 'won_deal.recorded_at') }} as days_apart,
        {{ amount_difference('invoice', 'won_deal') }} as amount_difference
    from invoice
    left join won_deal on invoice.deal_reference = won_deal.bare_record_id
    where invoice.deal_reference is not null
),

invoice_name as (
    select record_id, invoice_reference as reference from invoice
    where invoice_reference is not null

    union

    select record_id, bare_record_id as reference from invoice
),

named_invoice as (
    select
        won_deal.*,
        'invoice_number' as sale_key,
        {{ uses_sale_key('deal.invoice_number') or 'false' }} as is_used,
        won_deal.invoice_reference as reference,
        'invoice' as matched_type,
        invoice.record_id as matched_id,
        invoice.source_name as matched_source,
        {{ days_between('won_deal.recorded_at', 'invoice.recorded_at') }} as days_apart,
        {{ amount_difference('won_deal', 'invoice') }} as amount_difference
    from won_deal
    left join invoice_name on won_deal.invoice_reference = invoice_name.reference
    left join invoice on invoice_name.record_id = invoice.record_id
    where won_deal.invoice_reference is not null
),

named as (
    select
        record_type, record_id, source_name, recorded_at, sale_key, is_used, reference,
        matched_type, matched_id, matched_source, days_apart, amount_difference, obstacle
    from nearest_order
    where place = 1

    union all

    select
        record_type, record_id, source_name, recorded_at, sale_key, is_used, reference,
        matched_type, matched_id, matched_source, days_apart, amount_difference,
        {{ sale_obstacle() }} as obstacle
    from named_deal

    union all

    select
        record_type, record_id, source_name, recorded_at, sale_key, is_used, reference,
        matched_type, matched_id, matched_source, days_apart, amount_difference,
        {{ sale_obstacle() }} as obstacle
    from named_invoice
),

judged as (
    select
        record_type, record_id, source_name, recorded_at, sale_key, reference, matched_type,
        matched_id, matched_source, days_apart, amount_difference,
        case
            when not is_used then 'key not used'
            when matched_id is null then 'no such record'
            else coalesce(obstacle, 'matched')
        end as standing
    from named
),
{%- if by_customer %}

-- What names no order that is there, and the customer's order of the same money about that time:
-- each other's nearest.
bridge as (
    select identity_node_id, customer_key, valid_from, valid_to from {{ ref('bridge_identity') }}
    where customer_key <> 0
),

with_order as (
    select record_type, record_id from judged
    where standing = 'matched' and matched_type = 'order'
),

-- A deal knows its order through its invoice too, and an invoice through its deal.
closed as (
    select record_type, record_id from with_order

    union all

    select judged.record_type, judged.record_id
    from judged
    inner join with_order
        on
            judged.matched_type = with_order.record_type
            and judged.matched_id = with_order.record_id
    where judged.standing = 'matched'

    union all

    select judged.matched_type as record_type, judged.matched_id as record_id
    from judged
    inner join with_order
        on
            judged.record_type = with_order.record_type
            and judged.record_id = with_order.record_id
    where judged.standing = 'matched' and judged.matched_type <> 'order'
),

open_record as (
    select candidate.*, bridge.customer_key
    from candidate
    inner join bridge
        on
            candidate.identity_node_id = bridge.identity_node_id
            and candidate.recorded_at >= bridge.valid_from
            and candidate.recorded_at < bridge.valid_to
    left anti join closed
        on candidate.record_type = closed.record_type and candidate.record_id = closed.record_id
    where
        candidate.is_valid
        and candidate.record_type in ({{ by_customer }}'')
),

customer_order as (
    select shop_order.*, bridge.customer_key
    from shop_order
    inner join bridge
        on
            shop_order.identity_node_id = bridge.identity_node_id
            and shop_order.recorded_at >= bridge.valid_from
            and shop_order.recorded_at < bridge.valid_to
),

same_money as (
    select
        open_record.record_type, open_record.record_id, open_record.source_name,
        open_record.recorded_at, open_record.gross_amount,
        customer_order.record_id as matched_id,
        customer_order.source_name as matched_source,
        {{ days_between('open_record.recorded_at', 'customer_order.recorded_at') }} as days_apart,
        {{ amount_difference('open_record', 'customer_order') }} as amount_difference
    from open_record
    inner join customer_order on open_record.customer_key = customer_order.customer_key
    -- An order that has a record of this source needs no other.
    left anti join (
        select source_name, record_type, matched_id from judged where standing = 'matched'
    ) as taken
        on
            customer_order.record_id = taken.matched_id
            and open_record.source_name = taken.source_name
            and open_record.record_type = taken.record_type
),

ranked_money as (
    select
        *,
        row_number() over (
            partition by record_type, record_id order by days_apart, matched_id
        ) as place_of_order,
        row_number() over (
            partition by record_type, source_name, matched_id order by days_apart, record_id
        ) as place_of_record
    from same_money
    where
        days_apart <= {{ var('sale_customer_days', 3) }}
        and amount_difference
            <= cast('{{ var('sale_customer_tolerance', 0.01) }}' as decimal(9, 6))
            * abs(gross_amount)
),
{%- endif %}

final as (
    select * from judged
    {%- if by_customer %}

    union all

    select
        record_type, record_id, source_name, recorded_at, 'customer' as sale_key,
        cast(null as text) as reference, 'order' as matched_type, matched_id, matched_source,
        days_apart, amount_difference, 'matched' as standing
    from ranked_money
    where place_of_order = 1 and place_of_record = 1
    {%- endif %}
)

select * from final
