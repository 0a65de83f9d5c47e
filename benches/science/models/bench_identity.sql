-- grain: one row per identifier of web events, with the component that it belongs to
{{ config(materialized='table') }}

with pair as (
    select
        anonymous_node_id as a_key,
        identity_node_id as b_key,
        identity_node_type as b_type,
        min(event_at) as linked_at
    from {{ ref('fct_journey_event', part='web') }}
    where anonymous_node_id <> 0
    group by anonymous_node_id, identity_node_id, identity_node_type
),

final as (
    select node_key, component_key
    from connected_components((
        select
            a_key,
            'device' as a_type,
            case when a_key <> b_key then b_key end as b_key,
            case when a_key <> b_key then b_type end as b_type,
            linked_at
        from pair
    ))
)

select * from final
