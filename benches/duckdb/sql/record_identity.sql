-- Identifiers (b null) and pairs of them as CRM and shop state them. A record's own id is the hub.
with record as (
    select
        coalesce(created_at, effective_at) as seen_at,
        contact_node as contact,
        node(5, email_hash) as email,
        node(6, phone_hash) as phone,
        node(1, user_id) as user_id,
        node(8, client_id) as device,
        node(9, tracking_cookie) as cookie,
        node(9, gclid) as click
    from contact
),

bought as (
    select
        ordered_at as seen_at,
        node(7, coalesce(order_number, order_id)) as reference,
        node(7, order_id) as shop_reference,
        node(4, buyer_id) as buyer,
        node(5, email_hash) as email,
        node(6, phone_hash) as phone,
        node(8, anonymous_id) as device
    from shop_order
),

deal_person as (
    select deal_id, min(contact_id) as contact_id
    from deal_contact
    group by deal_id
    having count(distinct contact_id) = 1
),

pair as (
    select seen_at, unnest([
        {'a': contact, 'b': null}, {'a': email, 'b': null}, {'a': phone, 'b': null},
        {'a': user_id, 'b': null}, {'a': device, 'b': null}, {'a': cookie, 'b': null},
        {'a': contact, 'b': email}, {'a': contact, 'b': phone}, {'a': contact, 'b': user_id},
        {'a': contact, 'b': device}, {'a': contact, 'b': cookie}
    ], recursive := true)
    from record
    union all
    select seen_at, unnest([
        {'a': reference, 'b': null}, {'a': shop_reference, 'b': null},
        {'a': buyer, 'b': null}, {'a': email, 'b': null}, {'a': phone, 'b': null},
        {'a': device, 'b': null}, {'a': reference, 'b': shop_reference},
        {'a': reference, 'b': buyer}, {'a': reference, 'b': email},
        {'a': reference, 'b': phone}, {'a': reference, 'b': device},
        {'a': buyer, 'b': email}, {'a': buyer, 'b': phone}
    ], recursive := true)
    from bought
    union all
    select coalesce(deal.created_at, deal.effective_at),
        node(7, deal.order_reference), node(2, deal_person.contact_id)
    from deal
    inner join deal_person on deal.deal_id = deal_person.deal_id
    where deal.order_reference is not null
    union all
    select linked_at, unnest([
        {'a': node(2, a_id), 'b': null}, {'a': node(2, b_id), 'b': null},
        {'a': node(2, a_id), 'b': node(2, b_id)}
    ], recursive := true)
    from contact_merge
    where a_id <> b_id
)

-- A click that came with one record and on one device only ties the two.
select a, b, min(seen_at) as first_at from pair where a is not null group by a, b
union all
select record.contact, clicked.device, record.first_at
from (
    select click, min(contact) as contact, min(seen_at) as first_at
    from record
    where click is not null
    group by click
    having count(distinct contact) = 1
) as record
inner join (
    select click_node as click, min(device_node) as device, min(first_at) as first_at
    from web_identity
    where click_node is not null and device_node is not null
    group by click_node
    having count(distinct device_node) = 1
) as clicked on record.click = clicked.click
where record.first_at between clicked.first_at - interval '1 day'
    and clicked.first_at + interval '90 days'
