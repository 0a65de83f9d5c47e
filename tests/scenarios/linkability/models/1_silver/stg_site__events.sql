-- grain: one row per web event
{{ config(entity='web_event') }}

with given as (
    select * from {{ source('site', 'events') }}
),

final as (
    select
        _raw_id,
        event_id,
        event_at,
        event_name,
        anonymous_id,
        page_url,
        order_id,
        revenue as revenue_amount
    from given
)

select * from final
