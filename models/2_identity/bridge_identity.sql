-- grain: one row per identifier and interval of event time; exactly one customer at an instant
{{ config(
    materialized='incremental',
    incremental_strategy='replace_key',
    unique_key='identity_node_id',
    keys_of={'int_identity_component': 'node_key'},
    sort=['identity_node_id', 'valid_from']
) }}

with component as (
    select node_key, node_type, component_key, component_size, guard, first_at
    from {{ ref('int_identity_component') }}
),

final as (
    select
        node_key as identity_node_id,
        node_type,
        component_key as customer_key,
        {{ beginning() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        guard as guard_reason,
        cast(component_size as bigint) as component_size,
        first_at as first_seen_at
    from component

    union all

    -- What carries no usable identifier belongs to nobody that we know.
    select
        cast(0 as bigint) as identity_node_id,
        'unknown' as node_type,
        cast(0 as bigint) as customer_key,
        {{ beginning() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        cast(null as text) as guard_reason,
        cast(1 as bigint) as component_size,
        {{ no_instant() }} as first_seen_at
)

select * from final
