-- The identifiers on events are all in the bridge, so that no event loses its customer.
{{ config(severity='error') }}

with used as (
    select identity_node_id from {{ ref('fct_session') }} group by identity_node_id
    union all
    select identity_node_id
    from {{ ref('fct_conversion') }}
    group by identity_node_id
)

select used.identity_node_id
from used
left anti join {{ ref('bridge_identity') }} as bridge
    on used.identity_node_id = bridge.identity_node_id
where used.identity_node_id <> 0
