-- grain: one row per version of an Amazon Ads ad group
{{ config(entity='campaign') }}

with ad_group_history as (
    select * from {{ source('amazon_ads', 'ad_group_history') }}
),

-- What is archived never comes back.
final as (
    select
        _raw_id,
        'amazon_ads' as platform,
        'ad_group' as level,
        campaign_id,
        id as ad_group_id,
        name as ad_group_name,
        state as status,
        upper(state) = 'ARCHIVED' as is_deleted,
        serving_status,
        default_bid
    from ad_group_history
)

select * from final
