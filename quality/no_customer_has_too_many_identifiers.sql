-- Customers of more identifiers than `identity.cluster_max` (orders not counted), and which
-- identifiers hold them together: one of these may be shared by many people.
{{ config(severity='warn') }}

with node as (
    select node_key, node_type, component_key, degree
    from {{ ref('int_identity_component') }}
    where component_key <> 0
),

customer as (
    select
        component_key,
        sum(case when node_type <> 'order' then 1 else 0 end) as identifier_count
    from node
    group by component_key
),

large as (
    select component_key, identifier_count
    from customer
    where identifier_count > {{ project.identity.cluster_max }}
    order by identifier_count desc, component_key
    limit 20
),

ranked as (
    select
        node.*,
        large.identifier_count,
        row_number() over (
            partition by node.component_key order by node.degree desc, node.node_key
        ) as place
    from node
    inner join large on node.component_key = large.component_key
)

select
    component_key as customer_key,
    identifier_count,
    max(case when place = 1 then concat(node_type, ' ', node_key, ': ', degree, ' links') end)
        as most_linked,
    max(case when place = 2 then concat(node_type, ' ', node_key, ': ', degree, ' links') end)
        as next_most_linked
from ranked
where place <= 2
group by component_key, identifier_count
order by identifier_count desc, component_key
