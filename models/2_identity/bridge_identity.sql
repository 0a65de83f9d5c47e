-- grain: one row per identifier and interval of event time; exactly one customer at an instant
{{ config(
    materialized='incremental',
    incremental_strategy='replace_key',
    unique_key='identity_node_id',
    keys_of={'int_identity_component': 'node_key', 'int_device_owner': 'device_node_key'},
    sort=['identity_node_id', 'valid_from'],
    stats=['identity_node_id', 'valid_from', 'customer_key']
) }}

with component as (
    select
        node_key, node_type, component_key, component_size, guard, first_at,
        coalesce(erased_at, {{ beginning() }}) as lives_from,
        guard is not null and guard = 'erased' as is_erased
    from {{ ref('int_identity_component') }}
),

owner as (
    select device_node_key, customer_key, valid_from, valid_to from {{ ref('int_device_owner') }}
),

-- One customer for all time, or one after the other on a device that people share.
owned as (
    select
        component.*,
        coalesce(owner.customer_key, component.component_key) as customer_key,
        coalesce(owner.valid_from, {{ beginning() }}) as valid_from,
        coalesce(owner.valid_to, {{ end_of_time() }}) as valid_to
    from component
    left join owner on component.node_key = owner.device_node_key
),

final as (
    select
        node_key as identity_node_id,
        node_type,
        customer_key,
        greatest(valid_from, lives_from) as valid_from,
        valid_to,
        guard as guard_reason,
        cast(component_size as bigint) as component_size,
        first_at as first_seen_at
    from owned
    where not is_erased and valid_to > lives_from

    union all

    -- What was seen before an erasure is nobody's.
    select
        node_key as identity_node_id,
        node_type,
        cast(0 as bigint) as customer_key,
        {{ beginning() }} as valid_from,
        case when is_erased then {{ end_of_time() }} else lives_from end as valid_to,
        'erased' as guard_reason,
        cast(1 as bigint) as component_size,
        {{ no_instant() }} as first_seen_at
    from component
    where is_erased or lives_from > {{ beginning() }}

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
