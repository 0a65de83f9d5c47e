-- grain: one row per Apple Ads organization (our account)
{{ config(entity='campaign') }}

with organization as (
    select * from {{ source('apple_ads', 'organization') }}
),

final as (
    select
        _raw_id,
        'apple_ads' as platform,
        'account' as level,
        id as account_id,
        name as account_name,
        currency as currency_code,
        -- ORTZ says that reports are in the organization's own zone, and not which one that is.
        case when upper(time_zone) <> 'ORTZ' then time_zone end as account_zone,
        payment_model
    from organization
)

select * from final
