-- Keys are 64-bit hashes: two values under one key would join two people for ever.
{{ config(severity='error') }}

select node_key, node_type
from {{ ref('int_identity_node_seen') }}
where is_collision

union all

select node_key, min(node_type) as node_type
from {{ ref('int_identity_node_seen') }}
group by node_key
having count(distinct node_type) > 1
