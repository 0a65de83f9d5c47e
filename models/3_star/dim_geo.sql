-- grain: one row per place as sources name it
{{ config(materialized='table') }}

with place as (
    select
        geo_key,
        max(country) as country,
        max(region) as region,
        max(city) as city,
        min(event_date) as first_seen_date
    from {{ ref('int_geo_day') }}
    where geo_key not in (0, -1)
    group by geo_key
),

final as (
    select
        geo_key,
        coalesce(country, '(unknown)') as country,
        coalesce(region, '(unknown)') as region,
        coalesce(city, '(unknown)') as city,
        first_seen_date
    from place

    union all

    select
        reserved.reserved_key as geo_key,
        reserved.label as country,
        reserved.label as region,
        reserved.label as city,
        cast(null as date) as first_seen_date
    from {{ reserved_members() }} as reserved
)

select * from final
