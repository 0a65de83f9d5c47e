-- grain: one row per version of an X ad account
{{ config(entity='campaign') }}

with account_history as (
    select * from {{ source('x_ads', 'account_history') }}
),

final as (
    select
        _raw_id,
        'x_ads' as platform,
        'account' as level,
        id as account_id,
        name as account_name,
        approval_status as status,
        timezone as account_zone,
        deleted as is_deleted,
        business_name,
        industry_type
    from account_history
)

select * from final
