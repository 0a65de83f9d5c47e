-- grain: one row per UTC day, source and combination of utm values, as they were sent
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date'
) }}

-- Visits know source and medium in lower case; who mends links must see them as they stand there.
with web_event as (
    select
        event_date,
        source_name,
        coalesce(utm_source, url_param(page_url, 'utm_source')) as utm_source,
        coalesce(utm_medium, url_param(page_url, 'utm_medium')) as utm_medium,
        coalesce(utm_campaign, url_param(page_url, 'utm_campaign')) as utm_campaign
    from {{ entity('web_event') }}
    where
        utm_source is not null or utm_medium is not null or utm_campaign is not null
        or has_traffic_parameter(page_url)
),

final as (
    select
        event_date,
        source_name,
        utm_source,
        utm_medium,
        utm_campaign,
        count(*) as event_count
    from web_event
    where utm_source is not null or utm_medium is not null or utm_campaign is not null
    group by event_date, source_name, utm_source, utm_medium, utm_campaign
)

select * from final
