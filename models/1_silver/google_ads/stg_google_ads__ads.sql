-- grain: one row per version of a Google Ads ad
{{ config(entity='campaign') }}
{%- set queries = ["split_part(final_url, '?', 2)"] %}

with ad_history as (
    select * from {{ source('google_ads', 'ad_history') }}
),

-- final_urls is a list, `[https://a, https://b]`: the first one is where the ad leads.
ads_with_url as (
    select
        *,
        regexp_match(final_urls, '^[\[" ]*([^," \]]+)')[1] as final_url
    from ad_history
),

final as (
    select
        _raw_id,
        'google_ads' as platform,
        'ad' as level,
        ad_group_id,
        id as ad_id,
        name as ad_name,
        status,
        type as campaign_type,
        final_url,
        {{ tag_of(queries, 'utm_source') }} as utm_source,
        {{ tag_of(queries, 'utm_medium') }} as utm_medium,
        {{ tag_of(queries, 'utm_campaign') }} as utm_campaign,
        upper(status) = 'REMOVED' as is_deleted
    from ads_with_url
)

select * from final
