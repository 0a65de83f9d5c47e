-- grain: one row per version of a LinkedIn ad account
{{ config(entity='campaign') }}

with ad_account_history as (
    select * from {{ source('linkedin_ads', 'ad_account_history') }}
),

final as (
    select
        _raw_id,
        'linkedin_ads' as platform,
        'account' as level,
        id as account_id,
        name as account_name,
        status,
        type as campaign_type,
        currency as currency_code,
        -- LinkedIn reports in UTC, whatever the account says.
        'UTC' as account_zone
    from ad_account_history
)

select * from final
