-- grain: one row per version of a Reddit campaign
{{ config(entity='campaign') }}

with campaign as (
    select * from {{ source('reddit_ads', 'campaign') }}
),

final as (
    select
        _raw_id,
        'reddit_ads' as platform,
        'campaign' as level,
        account_id,
        id as campaign_id,
        name as campaign_name,
        coalesce(effective_status, configured_status) as status,
        objective,
        upper(coalesce(effective_status, configured_status)) = 'DELETED' as is_deleted,
        configured_status
    from campaign
)

select * from final
