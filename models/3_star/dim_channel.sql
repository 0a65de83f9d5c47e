-- grain: one row per channel of GA4's default group, and for events and offline touches
{{ config(materialized='table') }}

with channel as (
    select * from {{ ref('channel') }}
),

final as (
    select
        {{ channel_key('channel') }} as channel_key,
        channel,
        channel_group,
        cast(sort_order as bigint) as sort_order,
        cast(is_paid as boolean) as is_paid,
        cast(is_owned as boolean) as is_owned,
        cast(is_direct as boolean) as is_direct
    from channel

    union all

    select
        reserved.reserved_key as channel_key,
        case reserved.reserved_key when -1 then '(unattributed)' else reserved.label end as channel,
        reserved.label as channel_group,
        cast(99 - reserved.reserved_key as bigint) as sort_order,
        false as is_paid,
        false as is_owned,
        false as is_direct
    from {{ reserved_members() }} as reserved
)

select * from final
