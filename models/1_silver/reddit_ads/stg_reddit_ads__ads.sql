-- grain: one row per version of a Reddit ad
{{ config(entity='campaign') }}
{%- set queries = ["split_part(click_url, '?', 2)"] %}

with ad as (
    select * from {{ source('reddit_ads', 'ad') }}
),

final as (
    select
        _raw_id,
        'reddit_ads' as platform,
        'ad' as level,
        account_id,
        campaign_id,
        ad_group_id,
        id as ad_id,
        name as ad_name,
        coalesce(effective_status, configured_status) as status,
        click_url as final_url,
        {{ tag_of(queries, 'utm_source') }} as utm_source,
        {{ tag_of(queries, 'utm_medium') }} as utm_medium,
        {{ tag_of(queries, 'utm_campaign') }} as utm_campaign,
        upper(coalesce(effective_status, configured_status)) = 'DELETED' as is_deleted,
        configured_status,
        rejection_reason,
        post_id,
        post_url
    from ad
)

select * from final
