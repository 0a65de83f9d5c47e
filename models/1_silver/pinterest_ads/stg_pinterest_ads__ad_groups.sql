-- grain: one row per version of a Pinterest ad group
{{ config(entity='campaign') }}

with ad_group_history as (
    select * from {{ source('pinterest_ads', 'ad_group_history') }}
),

final as (
    select
        _raw_id,
        'pinterest_ads' as platform,
        'ad_group' as level,
        ad_account_id as account_id,
        campaign_id,
        id as ad_group_id,
        name as ad_group_name,
        status,
        start_time as start_date,
        end_time as end_date,
        upper(status) = 'DELETED_DRAFT' as is_deleted,
        summary_status,
        placement_group,
        pacing_delivery_type
    from ad_group_history
)

select * from final
