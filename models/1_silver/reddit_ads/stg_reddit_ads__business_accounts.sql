-- grain: one row per version of a Reddit ad account, where it lands as business_account
{{ config(entity='campaign') }}

with business_account as (
    select * from {{ source('reddit_ads', 'business_account') }}
),

final as (
    select
        _raw_id,
        'reddit_ads' as platform,
        'account' as level,
        id as account_id,
        status,
        currency as currency_code,
        -- Reports are in UTC, whatever zone the account prefers.
        'UTC' as account_zone,
        time_zone_id,
        attribution_type,
        click_attribution_window,
        view_attribution_window
    from business_account
)

select * from final
