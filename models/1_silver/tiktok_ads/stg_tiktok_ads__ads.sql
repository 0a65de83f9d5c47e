-- grain: one row per version of a TikTok ad
{{ config(entity='campaign') }}
{%- set queries = ['query'] %}

with ad_history as (
    select * from {{ source('tiktok_ads', 'ad_history') }}
),

-- How TikTok delivers it tells more than whether it is switched on. `status` and `opt_status` are
-- the older names of both.
with_status as (
    select
        *,
        coalesce(secondary_status, status, operation_status, opt_status) as status_now,
        -- Placeholders of TikTok (`__CAMPAIGN_NAME__`) are no value of a tag.
        regexp_replace(
            split_part(landing_page_url, '?', 2), '=[^&]*__[A-Z_]+__[^&]*', '=', 'g'
        ) as query
    from ad_history
),

final as (
    select
        _raw_id,
        'tiktok_ads' as platform,
        'ad' as level,
        advertiser_id as account_id,
        campaign_id,
        adgroup_id as ad_group_id,
        ad_id,
        ad_name,
        status_now as status,
        landing_page_url as final_url,
        {{ tag_of(queries, 'utm_source') }} as utm_source,
        {{ tag_of(queries, 'utm_medium') }} as utm_medium,
        {{ tag_of(queries, 'utm_campaign') }} as utm_campaign,
        upper(status_now) like '%DELETE' as is_deleted,
        call_to_action
    from with_status
)

select * from final
