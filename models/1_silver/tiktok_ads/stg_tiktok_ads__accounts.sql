-- grain: one row per TikTok advertiser (our account), as last synced
{{ config(entity='campaign') }}

with advertiser as (
    select * from {{ source('tiktok_ads', 'advertiser') }}
),

final as (
    select
        _raw_id,
        'tiktok_ads' as platform,
        'account' as level,
        id as account_id,
        name as account_name,
        status,
        currency as currency_code,
        -- Reports come in UTC, whatever the account says.
        'UTC' as account_zone,
        timezone,
        country
    from advertiser
)

select * from final
