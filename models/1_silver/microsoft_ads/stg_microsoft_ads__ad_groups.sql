-- grain: one row per version of a Microsoft Advertising ad group
{{ config(entity='campaign') }}

with ad_group_history as (
    select * from {{ source('microsoft_ads', 'ad_group_history') }}
),

-- The table does not say which account: that is the campaign's.
final as (
    select
        _raw_id,
        'microsoft_ads' as platform,
        'ad_group' as level,
        campaign_id,
        id as ad_group_id,
        name as ad_group_name,
        status,
        start_date,
        end_date,
        upper(status) = 'DELETED' as is_deleted
    from ad_group_history
)

select * from final
