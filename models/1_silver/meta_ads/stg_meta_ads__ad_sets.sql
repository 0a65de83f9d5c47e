-- grain: one row per version of a Meta ad set
{{ config(entity='campaign') }}

with ad_set_history as (
    select * from {{ source('meta_ads', 'ad_set_history') }}
),

final as (
    select
        _raw_id,
        'meta_ads' as platform,
        'ad_group' as level,
        account_id,
        campaign_id,
        id as ad_group_id,
        name as ad_group_name,
        coalesce(effective_status, status) as status,
        optimization_goal as objective,
        start_time as start_date,
        end_time as end_date,
        upper(coalesce(effective_status, status)) = 'DELETED' as is_deleted
    from ad_set_history
)

select * from final
