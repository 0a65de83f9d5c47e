-- grain: one row per conversion, model and credited touch, or its one unattributed row
{{ config(materialized='table') }}

with channel as (
    select channel_key, is_paid, is_direct from {{ ref('dim_channel') }}
),

customer_touch as (
    select
        case
            when touch.customer_key = 0 then touch.conversion_id
            else touch.customer_key
        end as customer_key,
        touch.event_at,
        touch.is_conversion,
        touch.touch_id as touch_key,
        touch.conversion_id as conversion_key,
        touch.conversion_type,
        touch.revenue_amount as amount,
        touch.channel_key as touch_channel_key,
        touch.is_direct or coalesce(channel.is_direct, false) as is_direct,
        coalesce(channel.is_paid, false) as is_paid
    from {{ ref('int_customer_touch') }} as touch
    left join channel on touch.channel_key = channel.channel_key
),

final as (
    select
        conversion_key,
        model,
        touch_key,
        touch_channel_key as channel_key,
        touch_position,
        path_length,
        credit,
        credited_amount
    from attribute((select * from customer_touch))
    where model <> 'participation'
)

select * from final
