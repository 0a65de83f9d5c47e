-- grain: one row per identifier and time at which its customer changed
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

-- A log: nothing is ever taken out, so that a key written down long ago still finds its customer.
with component as (
    select node_key, node_type, component_key from {{ ref('int_identity_component').render() }}
),

before as (
    select node_key, component_key from {{ previous('int_identity_component') }}
),

final as (
    select
        before.component_key as old_customer_key,
        component.component_key as customer_key,
        component.node_key as identity_node_id,
        component.node_type,
        arrow_cast(now(), 'Timestamp(Microsecond, Some("UTC"))') as noticed_at
    from before
    inner join component on before.node_key = component.node_key
    where before.component_key <> component.component_key
)

select * from final
