-- grain: one row per UTC day and place seen
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date'
) }}

with place as (
    select event_date, country, region, city, count(*) as event_count
    from {{ entity('web_event') }}
    group by event_date, country, region, city

    union all

    select event_date, country, region, city, count(*) as event_count
    from {{ entity('order') }}
    group by event_date, country, region, city
),

final as (
    select
        event_date,
        {{ geo_key('country', 'region', 'city') }} as geo_key,
        country,
        region,
        city,
        cast(sum(event_count) as bigint) as event_count
    from place
    group by event_date, country, region, city
)

select * from final
