-- grain: one row per version of a LinkedIn campaign (our ad group)
{{ config(entity='campaign') }}

with ad_campaign_history as (
    select * from {{ source('linkedin_ads', 'ad_campaign_history') }}
),

final as (
    select
        _raw_id,
        'linkedin_ads' as platform,
        'ad_group' as level,
        account_id,
        campaign_group_id as campaign_id,
        id as ad_group_id,
        name as ad_group_name,
        status,
        type as campaign_type,
        objective_type as objective,
        run_schedule_start as start_date,
        run_schedule_end as end_date,
        upper(status) in ('REMOVED', 'PENDING_DELETION') as is_deleted
    from ad_campaign_history
)

select * from final
