-- The bridge with the affected identifiers in their new components, and the customers that changed.
create temp table old_bridge as
from bridge where node in (from affected);

-- Only the records named it, and they do no longer.
create temp table gone as
with vanished as (
    (select unnest([a, b]) as node from old_record)
    except
    (select unnest([a, b]) as node from record_identity)
)

select node from vanished
where
    node is not null
    and node not in (
        select unnest([device_node, user_node, email_node, order_node]) as node
        from web_identity
        where
            device_node in (from vanished) or user_node in (from vanished)
            or email_node in (from vanished) or order_node in (from vanished)
    );

create temp table new_bridge as
select node, coalesce(customer, node) as customer
from affected left join label using (node)
where node not in (from gone);

delete from bridge where node in (from affected);
insert into bridge from new_bridge;

create temp table dirty_customer as
select customer from (
    (from old_bridge except from new_bridge)
    union all
    (from new_bridge except from old_bridge)
)
group by customer
