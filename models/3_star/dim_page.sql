-- grain: one row per page (host and path)
{{ config(materialized='table') }}

with page as (
    select
        page_key,
        max(page_address) as page_address,
        max(page_title) as page_title,
        min(event_date) as first_seen_date,
        cast(sum(event_count) as bigint) as event_count
    from {{ ref('int_page_day') }}
    group by page_key
),

final as (
    select
        page_key,
        page_address,
        nullif(split_part(page_address, '/', 1), '') as hostname,
        case
            when strpos(page_address, '/') > 0
                then substr(page_address, strpos(page_address, '/'))
            else '/'
        end as path,
        -- The first folder: what most sites use to group their pages.
        coalesce(nullif(split_part(page_address, '/', 2), ''), '(home)') as section,
        page_title,
        first_seen_date,
        event_count
    from page

    union all

    select
        reserved.reserved_key as page_key,
        reserved.label as page_address,
        reserved.label as hostname,
        reserved.label as path,
        reserved.label as section,
        cast(null as text) as page_title,
        cast(null as date) as first_seen_date,
        cast(0 as bigint) as event_count
    from {{ reserved_members() }} as reserved
)

select * from final
