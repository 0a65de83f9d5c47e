-- grain: one row per version of a TikTok ad
{{ config(entity='campaign') }}

with ad_history as (
    select * from {{ source('tiktok_ads', 'ad_history') }}
),

{{ tiktok_with_status('ad_history', has_link=true) }},

final as (
    select
        _raw_id,
        'tiktok_ads' as platform,
        'ad' as level,
        advertiser_id as account_id,
        campaign_id,
        adgroup_id as ad_group_id,
        ad_id,
        ad_name,
        status_now as status,
        {{ tiktok_link() }},
        upper(status_now) like '%DELETE' as is_deleted,
        call_to_action
    from with_status
)

select * from final
