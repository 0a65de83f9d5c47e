-- grain: one row per version of a Meta ad
{{ config(entity='campaign') }}

with ad_history as (
    select * from {{ source('meta_ads', 'ad_history') }}
),

final as (
    select
        _raw_id,
        'meta_ads' as platform,
        'ad' as level,
        account_id,
        campaign_id,
        ad_set_id as ad_group_id,
        id as ad_id,
        name as ad_name,
        coalesce(effective_status, status) as status,
        upper(coalesce(effective_status, status)) = 'DELETED' as is_deleted,
        creative_id
    from ad_history
)

select * from final
