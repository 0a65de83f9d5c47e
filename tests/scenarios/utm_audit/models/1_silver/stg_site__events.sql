-- grain: one row per web event
{{ config(entity='web_event') }}

with given as (
    select * from {{ source('site', 'rows') }}
),

final as (
    select
        _raw_id,
        event_id,
        event_at,
        event_name,
        anonymous_id,
        page_url,
        referrer_url,
        order_id,
        revenue as revenue_amount,
        case when revenue is not null then 'EUR' end as currency_code
    from given
)

select * from final
