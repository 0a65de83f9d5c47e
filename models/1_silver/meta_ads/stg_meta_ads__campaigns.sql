-- grain: one row per version of a Meta campaign
{{ config(entity='campaign') }}

with campaign_history as (
    select * from {{ source('meta_ads', 'campaign_history') }}
),

final as (
    select
        _raw_id,
        'meta_ads' as platform,
        'campaign' as level,
        account_id,
        id as campaign_id,
        name as campaign_name,
        coalesce(effective_status, status) as status,
        objective,
        start_time as start_date,
        stop_time as end_date,
        upper(coalesce(effective_status, status)) = 'DELETED' as is_deleted
    from campaign_history
)

select * from final
