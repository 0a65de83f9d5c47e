-- grain: one row per UTC day and kind of device seen
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date'
) }}

with web_event as (
    select
        event_date,
        device_category,
        device_brand,
        operating_system,
        browser,
        language,
        count(*) as event_count
    from {{ entity('web_event') }}
    group by event_date, device_category, device_brand, operating_system, browser, language
),

final as (
    select
        event_date,
        {{ device_key() }} as device_key,
        device_category,
        device_brand,
        operating_system,
        browser,
        language,
        event_count
    from web_event
)

select * from final
