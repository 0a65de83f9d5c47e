-- grain: one row per event, as ua-parser reads its user agent
-- It promises no entity: it describes the device of an event that another stream gives.
{{ config(materialized='table', rows='one') }}

with ua_parser_context as (
    select * from {{ source('snowplow', 'ua_parser_context') }}
),

final as (
    select
        _raw_id,
        root_id as event_id,
        to_instant(root_tstamp) as collector_at,
        coalesce("useragentFamily", useragent_family) as useragent_family,
        coalesce("useragentVersion", useragent_version) as useragent_version,
        coalesce("osFamily", os_family) as os_family,
        coalesce("osVersion", os_version) as os_version,
        coalesce("deviceFamily", device_family) as device_family
    from ua_parser_context
)

select * from final
