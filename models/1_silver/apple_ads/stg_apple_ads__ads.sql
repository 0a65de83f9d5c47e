-- grain: one row per version of an Apple Ads ad
{{ config(entity='campaign') }}

with ad_history as (
    select * from {{ source('apple_ads', 'ad_history') }}
),

final as (
    select
        _raw_id,
        'apple_ads' as platform,
        'ad' as level,
        org_id as account_id,
        campaign_id,
        ad_group_id,
        id as ad_id,
        name as ad_name,
        status,
        creative_type as campaign_type,
        deleted as is_deleted,
        creative_id,
        serving_status
    from ad_history
)

select * from final
