-- grain: one row per version of a Snapchat creative
-- It promises no entity: a creative is no level of its own, an ad names the creative it shows.
{{ config(materialized='table', rows='one') }}
{%- set queries = ["split_part(web_view_url, '?', 2)"] %}

with creative_history as (
    select * from {{ source('snapchat_ads', 'creative_history') }}
),

final as (
    select
        _raw_id,
        'snapchat_ads' as platform,
        ad_account_id as account_id,
        id as creative_id,
        name as creative_name,
        web_view_url as final_url,
        {{ tag_of(queries, 'utm_source') }} as utm_source,
        {{ tag_of(queries, 'utm_medium') }} as utm_medium,
        {{ tag_of(queries, 'utm_campaign') }} as utm_campaign,
        coalesce(updated_at, _fivetran_synced) as updated_at,
        _fivetran_synced as synced_at
    from creative_history
)

select * from final
