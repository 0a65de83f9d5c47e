-- The bridge gives every identifier exactly one customer at every instant, without gap or overlap.
{{ config(severity='error') }}

with interval_of_node as (
    select
        identity_node_id,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by identity_node_id order by valid_from) as next_from
    from {{ ref('bridge_identity') }}
)

select identity_node_id, valid_from, valid_to, next_from
from interval_of_node
where valid_to <= valid_from or (next_from is not null and next_from <> valid_to)
