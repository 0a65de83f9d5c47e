-- grain: one row per kind of device
{{ config(materialized='table') }}

with device as (
    select
        device_key,
        max(device_category) as device_category,
        max(device_brand) as device_brand,
        max(operating_system) as operating_system,
        max(browser) as browser,
        max(language) as language,
        min(event_date) as first_seen_date
    from {{ ref('int_device_day') }}
    where device_key not in (0, -1)
    group by device_key
),

final as (
    select
        device_key,
        coalesce(lower(device_category), '(unknown)') as device_category,
        coalesce(device_brand, '(unknown)') as device_brand,
        coalesce(operating_system, '(unknown)') as operating_system,
        coalesce(browser, '(unknown)') as browser,
        coalesce(language, '(unknown)') as language,
        first_seen_date
    from device

    union all

    select
        reserved.reserved_key as device_key,
        reserved.label as device_category,
        reserved.label as device_brand,
        reserved.label as operating_system,
        reserved.label as browser,
        reserved.label as language,
        cast(null as date) as first_seen_date
    from {{ reserved_members() }} as reserved
)

select * from final
