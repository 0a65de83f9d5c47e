-- grain: one row per source, rule and identifier, or pair of identifiers, that records state
{{ config(materialized='table') }}

-- A record's own id is the hub; what stands on the record is linked to it. All versions count:
-- an address that a contact had last year is still evidence.
with contact as (
    select
        source_name,
        'contact' as rule,
        created_at,
        effective_at,
        _raw_id,
        make_array(
            {{ evidence('contact', 'contact_id') }},
            {{ evidence('email', 'email_hash') }},
            {{ evidence('phone', 'phone_hash') }},
            {{ evidence('user', 'user_id') }},
            {{ evidence('device', 'client_id') }},
            {{ evidence('cookie', 'tracking_cookie') }},
            {{ evidence('contact', 'contact_id', 'email', 'email_hash') }},
            {{ evidence('contact', 'contact_id', 'phone', 'phone_hash') }},
            {{ evidence('contact', 'contact_id', 'user', 'user_id') }},
            {{ evidence('contact', 'contact_id', 'device', 'client_id') }},
            {{ evidence('contact', 'contact_id', 'cookie', 'tracking_cookie') }},
            {{ evidence('click', 'gclid', 'contact', 'contact_id') }}
        ) as pairs
    from {{ entity('contact') }}
),

lead as (
    select
        source_name,
        'lead' as rule,
        created_at,
        effective_at,
        _raw_id,
        make_array(
            {{ evidence('lead', 'lead_id') }},
            {{ evidence('email', 'email_hash') }},
            {{ evidence('phone', 'phone_hash') }},
            {{ evidence('contact', 'contact_id') }},
            {{ evidence('device', 'client_id') }},
            {{ evidence('lead', 'lead_id', 'email', 'email_hash') }},
            {{ evidence('lead', 'lead_id', 'phone', 'phone_hash') }},
            {{ evidence('lead', 'lead_id', 'contact', 'contact_id') }},
            {{ evidence('lead', 'lead_id', 'device', 'client_id') }},
            {{ evidence('click', 'gclid', 'lead', 'lead_id') }}
        ) as pairs
    from {{ entity('lead') }}
),

-- An order is known by its number, and by the shop's own id where a tracker sends that.
numbered_order as (
    select
        *,
        coalesce({{ order_reference('order_number') }}, {{ bare_id('order_id') }}) as reference,
        {{ bare_id('order_id') }} as shop_reference
    from {{ entity('order') }}
),

order_record as (
    select
        source_name,
        'order' as rule,
        ordered_at as created_at,
        effective_at,
        _raw_id,
        make_array(
            {{ evidence('order', 'reference') }},
            {{ evidence('order', 'shop_reference') }},
            {{ evidence('buyer', 'buyer_id') }},
            {{ evidence('user', 'user_id') }},
            {{ evidence('email', 'email_hash') }},
            {{ evidence('phone', 'phone_hash') }},
            {{ evidence('device', 'anonymous_id') }},
            {{ evidence('order', 'reference', 'order', 'shop_reference') }},
            {{ evidence('order', 'reference', 'buyer', 'buyer_id') }},
            {{ evidence('order', 'reference', 'user', 'user_id') }},
            {{ evidence('order', 'reference', 'email', 'email_hash') }},
            {{ evidence('order', 'reference', 'phone', 'phone_hash') }},
            {{ evidence('order', 'reference', 'device', 'anonymous_id') }},
            {{ evidence('buyer', 'buyer_id', 'email', 'email_hash') }},
            {{ evidence('buyer', 'buyer_id', 'user', 'user_id') }},
            {{ evidence('buyer', 'buyer_id', 'phone', 'phone_hash') }},
            {{ evidence('user', 'user_id', 'email', 'email_hash') }}
        ) as pairs
    from numbered_order
),

invoice as (
    select
        source_name,
        'invoice' as rule,
        invoiced_at as created_at,
        effective_at,
        _raw_id,
        make_array(
            {{ evidence('buyer', 'buyer_id') }},
            {{ evidence('email', 'email_hash') }},
            {{ evidence('buyer', 'buyer_id', 'email', 'email_hash') }},
            {{ evidence('order', order_reference('order_number'), 'buyer', 'buyer_id') }},
            {{ evidence('order', order_reference('order_number'), 'email', 'email_hash') }}
        ) as pairs
    from {{ entity('invoice') }}
),

-- A refund names what it takes back: that may be an invoice. Such an invoice is known by its own id
-- too, unless an order has that number.
refunded as (
    select order_id as invoice_id
    from {{ entity('refund') }}
    where order_id is not null
    group by order_id
),

refunded_invoice as (
    select
        invoice.source_name,
        'invoice' as rule,
        invoice.invoiced_at as created_at,
        invoice.effective_at,
        invoice._raw_id,
        make_array(
            {{ evidence('order', bare_id('invoice.invoice_id')) }},
            {{ evidence('order', bare_id('invoice.invoice_id'), 'buyer', 'invoice.buyer_id') }},
            {{ evidence('order', bare_id('invoice.invoice_id'), 'email', 'invoice.email_hash') }},
            {{ evidence('order', bare_id('invoice.invoice_id'),
                'order', order_reference('invoice.order_number')) }}
        ) as pairs
    from {{ entity('invoice') }} as invoice
    left semi join refunded on invoice.invoice_id = refunded.invoice_id
    left anti join numbered_order as by_number
        on {{ bare_id('invoice.invoice_id') }} = by_number.reference
    left anti join numbered_order as by_id
        on {{ bare_id('invoice.invoice_id') }} = by_id.shop_reference
),

-- A deal speaks of a person only where it has one contact: of several, nobody knows who ordered.
deal_person as (
    select
        deal_id,
        min(contact_id) as contact_id
    from {{ entity('deal_contact') }}
    where not coalesce(is_deleted, false)
    group by deal_id
    having count(distinct contact_id) = 1
),

deal as (
    select
        deal.source_name,
        'deal' as rule,
        deal.created_at,
        deal.effective_at,
        deal._raw_id,
        make_array(
            {{ evidence('contact', 'deal_person.contact_id') }},
            {{ evidence('order', order_reference('deal.order_id'),
                'contact', 'deal_person.contact_id') }}
        ) as pairs
    from {{ entity('deal') }} as deal
    inner join deal_person on deal.deal_id = deal_person.deal_id
),

-- A telephone on a list of guests or calls is often that of a company: it finds who is known by it,
-- and ties nobody to anybody.
activity as (
    select
        source_name,
        'activity' as rule,
        min(activity_at) as created_at,
        max(effective_at) as effective_at,
        min(_raw_id) as _raw_id,
        make_array(
            {{ evidence('contact', 'contact_id') }},
            {{ evidence('lead', 'lead_id') }},
            {{ evidence('email', 'email_hash') }},
            {{ evidence('phone', 'phone_hash') }},
            {{ evidence('contact', 'contact_id', 'email', 'email_hash') }},
            {{ evidence('lead', 'lead_id', 'email', 'email_hash') }}
        ) as pairs
    from {{ entity('activity') }}
    group by source_name, contact_id, lead_id, email_hash, phone_hash
),

email_event as (
    select
        source_name,
        'email_event' as rule,
        min(event_at) as created_at,
        max(effective_at) as effective_at,
        min(_raw_id) as _raw_id,
        make_array(
            {{ evidence('contact', 'contact_id') }},
            {{ evidence('email', 'email_hash') }},
            {{ evidence('contact', 'contact_id', 'email', 'email_hash') }}
        ) as pairs
    from {{ entity('email_event') }}
    group by source_name, contact_id, email_hash
),

consent as (
    select
        source_name,
        'consent' as rule,
        min(consent_at) as created_at,
        max(effective_at) as effective_at,
        min(_raw_id) as _raw_id,
        make_array(
            {{ evidence('device', 'anonymous_id') }},
            {{ evidence('user', 'user_id') }},
            {{ evidence('email', 'email_hash') }},
            {{ evidence('device', 'anonymous_id', 'user', 'user_id') }},
            {{ evidence('device', 'anonymous_id', 'email', 'email_hash') }},
            {{ evidence('user', 'user_id', 'email', 'email_hash') }}
        ) as pairs
    from {{ entity('consent') }}
    group by source_name, anonymous_id, user_id, email_hash
),

-- A link that a source states. An order is stated as `<source>:<id>`; here it goes by its id.
stated_link as (
    select
        source_name,
        coalesce(rule, 'identity_link') as rule,
        linked_at,
        effective_at,
        _raw_id,
        a_type,
        case when a_type = 'order' then {{ bare_id('a_value') }} else a_value end as a_value,
        b_type,
        case when b_type = 'order' then {{ bare_id('b_value') }} else b_value end as b_value
    from {{ entity('identity_link') }}
),

identity_link as (
    select
        source_name,
        rule,
        linked_at as created_at,
        effective_at,
        _raw_id,
        make_array(
            named_struct('a_type', a_type, 'a_value', a_value,
                'b_type', cast(null as text), 'b_value', cast(null as text)),
            named_struct('a_type', b_type, 'a_value', b_value,
                'b_type', cast(null as text), 'b_value', cast(null as text)),
            named_struct('a_type', a_type, 'a_value', a_value, 'b_type', b_type, 'b_value', b_value)
        ) as pairs
    from stated_link
),

record as (
    select * from contact
    union all
    select * from lead
    union all
    select * from order_record
    union all
    select * from invoice
    union all
    select * from refunded_invoice
    union all
    select * from deal
    union all
    select * from activity
    union all
    select * from email_event
    union all
    select * from consent
    union all
    select * from identity_link
),

evidence as (
    select
        source_name,
        rule,
        coalesce(created_at, effective_at) as seen_at,
        _raw_id,
        unnest(pairs) as pair
    from record
),

flat as (
    select
        source_name,
        rule,
        pair['a_type'] as a_type,
        pair['a_value'] as a_value,
        pair['b_type'] as b_type,
        pair['b_value'] as b_value,
        seen_at,
        _raw_id
    from evidence

),

final as (
    select
        source_name,
        rule,
        durable_key('node', a_type, a_value) as a_node_key,
        a_type,
        case when b_type is not null then durable_key('node', b_type, b_value) end as b_node_key,
        b_type,
        min(a_value) as a_value,
        min(b_value) as b_value,
        min(seen_at) as first_at,
        max(seen_at) as last_at,
        count(*) as evidence_count,
        min(_raw_id) as evidence_raw_id
    from flat
    where
        a_value is not null
        and not is_blocked_identifier({{ guarded_type('a_type') }}, a_value)
        and (
            b_type is null
            or (
                b_value is not null
                and not is_blocked_identifier(b_type, b_value)
                and (a_type <> b_type or a_value <> b_value)
            )
        )
    group by
        source_name,
        rule,
        durable_key('node', a_type, a_value),
        a_type,
        case when b_type is not null then durable_key('node', b_type, b_value) end,
        b_type
)

select * from final
