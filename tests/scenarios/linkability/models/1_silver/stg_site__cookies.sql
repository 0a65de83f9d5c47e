-- grain: one row per page view that carries HubSpot's cookie
{{ config(entity='identity_link', rows='some') }}

with given as (
    select * from {{ source('site', 'events') }}
    where hubspotutk is not null
),

final as (
    select
        _raw_id,
        'device' as a_type,
        anonymous_id as a_value,
        'cookie' as b_type,
        hubspotutk as b_value,
        event_at as linked_at
    from given
)

select * from final
