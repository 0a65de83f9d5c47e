-- grain: one row per version of a LinkedIn campaign group (our campaign)
{{ config(entity='campaign') }}

with ad_campaign_group_history as (
    select * from {{ source('linkedin_ads', 'ad_campaign_group_history') }}
),

final as (
    select
        _raw_id,
        'linkedin_ads' as platform,
        'campaign' as level,
        account_id,
        id as campaign_id,
        name as campaign_name,
        status,
        run_schedule_start as start_date,
        run_schedule_end as end_date,
        upper(status) in ('REMOVED', 'PENDING_DELETION') as is_deleted
    from ad_campaign_group_history
)

select * from final
