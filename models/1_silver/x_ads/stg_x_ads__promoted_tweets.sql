-- grain: one row per version of a promoted tweet (our ad)
{{ config(entity='campaign') }}

with promoted_tweet_history as (
    select * from {{ source('x_ads', 'promoted_tweet_history') }}
),

final as (
    select
        _raw_id,
        'x_ads' as platform,
        'ad' as level,
        line_item_id as ad_group_id,
        id as ad_id,
        entity_status as status,
        deleted as is_deleted,
        tweet_id,
        approval_status
    from promoted_tweet_history
)

select * from final
