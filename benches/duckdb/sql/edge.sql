-- Pairs of identifiers that are evidence of one person, each once.
with pair as (
    select
        first_at,
        unnest([
            {'a': device_node, 'b': user_node}, {'a': device_node, 'b': email_node},
            {'a': device_node, 'b': order_node}, {'a': user_node, 'b': email_node},
            {'a': user_node, 'b': order_node}, {'a': email_node, 'b': order_node}
        ], recursive := true)
    from web_identity
    where coalesce(user_node, email_node, order_node) is not null
    union all
    select first_at, a, b from record_identity where b is not null
),

-- A number that the shop gave to two orders says nothing of persons.
ambiguous as (
    select node(7, reference) as order_node
    from (
        select coalesce(order_number, order_id) as reference, order_id from shop_order
        union
        select order_id, order_id from shop_order
    )
    group by reference
    having count(*) > 1
)

select least(a, b) as a, greatest(a, b) as b, min(first_at) as first_at
from pair
where
    a <> b
    and a not in (from ambiguous)
    and b not in (from ambiguous)
group by least(a, b), greatest(a, b)
