-- grain: one row per version of a TikTok campaign
{{ config(entity='campaign') }}

with campaign_history as (
    select * from {{ source('tiktok_ads', 'campaign_history') }}
),

{{ tiktok_with_status('campaign_history', has_link=false) }},

final as (
    select
        _raw_id,
        'tiktok_ads' as platform,
        'campaign' as level,
        advertiser_id as account_id,
        campaign_id,
        campaign_name,
        status_now as status,
        campaign_type,
        objective_type as objective,
        upper(status_now) like '%DELETE' as is_deleted,
        budget,
        budget_mode,
        split_test_variable
    from with_status
)

select * from final
