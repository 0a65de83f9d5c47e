-- grain: one row per device that several people log in on, and interval of event time
{{ config(materialized='table', sort=['device_node_key', 'valid_from']) }}

-- The device is theirs who logged in last; before the first log-in, theirs who came first.
with component as (
    select node_key, node_type, component_key, component_size, guard
    from {{ ref('int_identity_component') }}
),

-- A decision may have given a guarded device to somebody: then it does not stand alone.
shared_device as (
    select node_key
    from component
    where
        node_type = 'device' and guard in ('degree', 'emails') and component_size = 1
        and '{{ project.identity.shared_devices }}' = 'by_time'
),

login as (
    select
        login.device_node_key,
        login.logged_in_at,
        -- Days are joined here: two sources may see one instant.
        min(component.component_key) as customer_key
    from {{ ref('int_device_login') }} as login
    inner join shared_device on login.device_node_key = shared_device.node_key
    inner join component on login.person_node_key = component.node_key
    where component.guard is null
    group by login.device_node_key, login.logged_in_at
),

divided_device as (
    select device_node_key
    from login
    group by device_node_key
    having
        count(distinct customer_key) > 1
        and count(distinct customer_key) <= {{ project.identity.owners_max }}
),

marked as (
    select
        login.*,
        lag(login.customer_key) over (
            partition by login.device_node_key order by login.logged_in_at
        ) as customer_before
    from login
    left semi join divided_device on login.device_node_key = divided_device.device_node_key
),

change_of_owner as (
    select *
    from marked
    where customer_before is null or customer_before <> customer_key
),

final as (
    select
        device_node_key,
        customer_key,
        case when customer_before is null then {{ beginning() }} else logged_in_at end
            as valid_from,
        coalesce(
            lead(logged_in_at) over (partition by device_node_key order by logged_in_at),
            {{ end_of_time() }}
        ) as valid_to
    from change_of_owner
)

select * from final
