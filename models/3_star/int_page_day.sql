-- grain: one row per UTC day and page seen
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date'
) }}

with web_event as (
    select
        event_date,
        {{ page_address('page_url') }} as page_address,
        max(page_title) as page_title,
        count(*) as event_count
    from {{ entity('web_event') }}
    where page_url is not null
    group by event_date, {{ page_address('page_url') }}
),

final as (
    select
        event_date,
        durable_key('page', page_address) as page_key,
        page_address,
        page_title,
        event_count
    from web_event
)

select * from final
