-- grain: one row per version of a Meta creative
-- It promises no entity: a creative is no level of its own, an ad names the creative it shows.
{{ config(materialized='table', rows='one') }}

with creative_history as (
    select * from {{ source('meta_ads', 'creative_history') }}
),

final as (
    select
        _raw_id,
        'meta_ads' as platform,
        account_id,
        id as creative_id,
        name as creative_name,
        coalesce(page_link, template_page_link, object_story_link_data_link) as final_url,
        url_tags,
        url_param(
            coalesce(page_link, template_page_link, object_story_link_data_link), 'utm_source'
        ) as utm_source,
        url_param(
            coalesce(page_link, template_page_link, object_story_link_data_link), 'utm_medium'
        ) as utm_medium,
        url_param(
            coalesce(page_link, template_page_link, object_story_link_data_link), 'utm_campaign'
        ) as utm_campaign,
        _fivetran_synced as synced_at
    from creative_history
)

select * from final
