-- grain: one row per version of a Microsoft Advertising ad
{{ config(entity='campaign') }}
{%- set queries = ["split_part(final_url, '?', 2)"] %}

with ad_history as (
    select * from {{ source('microsoft_ads', 'ad_history') }}
),

-- Ads have no name: the parts of the headline stand in, or the title of older kinds of ad.
final as (
    select
        _raw_id,
        'microsoft_ads' as platform,
        'ad' as level,
        ad_group_id,
        id as ad_id,
        coalesce(
            nullif(concat_ws(' | ', title_part_1, title_part_2, title_part_3), ''),
            title
        ) as ad_name,
        status,
        type as campaign_type,
        final_url,
        {{ tag_of(queries, 'utm_source') }} as utm_source,
        {{ tag_of(queries, 'utm_medium') }} as utm_medium,
        {{ tag_of(queries, 'utm_campaign') }} as utm_campaign,
        upper(status) = 'DELETED' as is_deleted,
        title,
        domain
    from ad_history
)

select * from final
