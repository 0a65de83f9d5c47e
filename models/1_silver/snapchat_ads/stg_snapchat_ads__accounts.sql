-- grain: one row per version of a Snapchat ad account
{{ config(entity='campaign') }}

with ad_account_history as (
    select * from {{ source('snapchat_ads', 'ad_account_history') }}
),

final as (
    select
        _raw_id,
        'snapchat_ads' as platform,
        'account' as level,
        id as account_id,
        name as account_name,
        type as campaign_type,
        currency as currency_code,
        -- Reports are in UTC, whatever the account's own zone.
        'UTC' as account_zone,
        coalesce(updated_at, _fivetran_synced) as effective_at,
        timezone,
        advertiser
    from ad_account_history
)

select * from final
