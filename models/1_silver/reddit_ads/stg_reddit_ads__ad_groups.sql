-- grain: one row per version of a Reddit ad group
{{ config(entity='campaign') }}

with ad_group as (
    select * from {{ source('reddit_ads', 'ad_group') }}
),

final as (
    select
        _raw_id,
        'reddit_ads' as platform,
        'ad_group' as level,
        account_id,
        campaign_id,
        id as ad_group_id,
        name as ad_group_name,
        coalesce(effective_status, configured_status) as status,
        start_time as start_date,
        end_time as end_date,
        upper(coalesce(effective_status, configured_status)) = 'DELETED' as is_deleted,
        configured_status,
        bid_strategy,
        {{ amount_of_micros('bid_value') }} as bid,
        goal_type,
        goal_value,
        optimization_strategy_type
    from ad_group
)

select * from final
