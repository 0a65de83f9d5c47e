-- Identifiers whose component may be another now: ends of edges that came or went, identifiers
-- whose guard changed with their neighbours, and all that shared a customer with one of these.
create temp table changed_node as
with changed_edge as (
    (select a, b from edge except select a, b from old_edge)
    union all
    (select a, b from old_edge except select a, b from edge)
),

changed_guard as (
    (from guarded except from old_guarded)
    union all
    (from old_guarded except from guarded)
)

select a as node from changed_edge
union
select b from changed_edge
union
from changed_guard
union
select a from edge where b in (from changed_guard)
union
select b from edge where a in (from changed_guard);

create temp table known_batch as
select node from (
    select unnest([device_node, user_node, email_node, order_node]) as node
    from (
        select distinct device_node, user_node, email_node, order_node from batch_event
    )
    union
    select a from record_identity
    union
    select b from record_identity
)
where node is not null;

create temp table affected as
select node from bridge
where customer in (select customer from bridge where node in (from changed_node))
union
select node from changed_node
union
select node from known_batch where node not in (select node from bridge);

create temp table link as
select a as x, b as y from edge
where
    a in (from affected) and b in (from affected)
    and a not in (from guarded) and b not in (from guarded);
insert into link select y, x from link;
create or replace temp table label as
select x as node, least(x, min(y)) as customer from link group by x
