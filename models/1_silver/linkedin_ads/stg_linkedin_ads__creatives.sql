-- grain: one row per version of a LinkedIn creative (our ad)
{{ config(entity='campaign') }}
{%- set queries = ["split_part(final_url, '?', 2)"] %}

with ad_creative_history as (
    select * from {{ source('linkedin_ads', 'ad_creative_history') }}
),

-- A creative that was never changed has no time of change: it is as new as it is old.
creatives_with_url as (
    select
        *,
        coalesce(click_uri, text_ad_landing_page, spotlight_landing_page) as final_url
    from ad_creative_history
),

final as (
    select
        _raw_id,
        'linkedin_ads' as platform,
        'ad' as level,
        campaign_id as ad_group_id,
        id as ad_id,
        name as ad_name,
        coalesce(intended_status, status) as status,
        final_url,
        {{ tag_of(queries, 'utm_source') }} as utm_source,
        {{ tag_of(queries, 'utm_medium') }} as utm_medium,
        {{ tag_of(queries, 'utm_campaign') }} as utm_campaign,
        upper(coalesce(intended_status, status)) in ('REMOVED', 'PENDING_DELETION', 'CANCELED')
            as is_deleted,
        coalesce(last_modified_at, last_modified_time, created_time, created_at) as effective_at
    from creatives_with_url
)

select * from final
