-- grain: one row per version of an Apple Ads ad group
{{ config(entity='campaign') }}

with ad_group_history as (
    select * from {{ source('apple_ads', 'ad_group_history') }}
),

final as (
    select
        _raw_id,
        'apple_ads' as platform,
        'ad_group' as level,
        organization_id as account_id,
        campaign_id,
        id as ad_group_id,
        name as ad_group_name,
        status,
        start_time as start_date,
        end_time as end_date,
        deleted as is_deleted,
        serving_status,
        serving_state_reasons,
        default_cpc_bid_amount as default_bid,
        cpa_goal_amount as target_cpa,
        automated_keywords_opt_in as is_search_match
    from ad_group_history
)

select * from final
