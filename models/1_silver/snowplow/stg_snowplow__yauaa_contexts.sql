-- grain: one row per event, as YAUAA reads its user agent
-- It promises no entity: it describes the device of an event that another stream gives.
{{ config(materialized='table', rows='one') }}

with yauaa_context as (
    select * from {{ source('snowplow', 'yauaa_context') }}
),

final as (
    select
        _raw_id,
        root_id as event_id,
        to_instant(root_tstamp) as collector_at,
        coalesce("deviceClass", device_class) as device_class,
        coalesce("deviceBrand", device_brand) as device_brand,
        coalesce("deviceName", device_name) as device_name,
        coalesce("operatingSystemClass", operating_system_class) as operating_system_class,
        coalesce("operatingSystemName", operating_system_name) as operating_system_name,
        coalesce("agentClass", agent_class) as agent_class,
        coalesce("agentName", agent_name) as agent_name,
        coalesce("agentVersion", agent_version) as agent_version
    from yauaa_context
)

select * from final
