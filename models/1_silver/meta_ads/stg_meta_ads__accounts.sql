-- grain: one row per version of a Meta ad account
{{ config(entity='campaign') }}

with account_history as (
    select * from {{ source('meta_ads', 'account_history') }}
),

final as (
    select
        _raw_id,
        'meta_ads' as platform,
        'account' as level,
        id as account_id,
        name as account_name,
        account_status as status,
        currency as currency_code,
        timezone_name as account_zone,
        business_name
    from account_history
)

select * from final
