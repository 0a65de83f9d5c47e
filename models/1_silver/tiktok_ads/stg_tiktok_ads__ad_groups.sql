-- grain: one row per version of a TikTok ad group
{{ config(entity='campaign') }}

with adgroup_history as (
    select * from {{ source('tiktok_ads', 'adgroup_history') }}
),

{{ tiktok_with_status('adgroup_history', has_link=true) }},

final as (
    select
        _raw_id,
        'tiktok_ads' as platform,
        'ad_group' as level,
        advertiser_id as account_id,
        campaign_id,
        adgroup_id as ad_group_id,
        adgroup_name as ad_group_name,
        status_now as status,
        coalesce(optimization_goal, optimize_goal) as objective,
        schedule_start_time as start_date,
        schedule_end_time as end_date,
        {{ tiktok_link() }},
        upper(status_now) like '%DELETE' as is_deleted,
        billing_event,
        placement_type,
        budget,
        budget_mode
    from with_status
)

select * from final
