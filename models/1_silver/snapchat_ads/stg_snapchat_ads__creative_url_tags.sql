-- grain: one row per version of a tag of a Snapchat creative's link
-- It promises no entity: a creative is no level of its own, and its tags come one by one.
{{ config(materialized='table', rows='one') }}

with creative_url_tag_history as (
    select * from {{ source('snapchat_ads', 'creative_url_tag_history') }}
),

final as (
    select
        _raw_id,
        'snapchat_ads' as platform,
        creative_id,
        key as tag_name,
        value as tag_value,
        updated_at
    from creative_url_tag_history
)

select * from final
