-- grain: one row per Amazon Ads profile (our account)
{{ config(entity='campaign') }}

with profile as (
    select * from {{ source('amazon_ads', 'profile') }}
),

-- Amazon's account is the advertiser, the same in all marketplaces. Currency and zone belong to the
-- profile.
final as (
    select
        _raw_id,
        'amazon_ads' as platform,
        'account' as level,
        id as account_id,
        account_name,
        currency_code,
        timezone as account_zone,
        _fivetran_deleted as is_deleted,
        country_code,
        account_marketplace_string_id as marketplace_id,
        account_id as advertiser_id,
        account_type as advertiser_type
    from profile
)

select * from final
