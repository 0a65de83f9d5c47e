-- grain: one row per version of an Amazon Ads keyword
-- It promises no entity: keyword figures carry the id, and this says which words stand behind it.
{{ config(materialized='table', rows='one') }}

with keyword_history as (
    select * from {{ source('amazon_ads', 'keyword_history') }}
),

final as (
    select
        _raw_id,
        'amazon_ads' as platform,
        campaign_id,
        ad_group_id,
        id as keyword_id,
        keyword_text,
        match_type,
        bid,
        state as status,
        serving_status,
        native_language_keyword,
        last_updated_date as updated_at
    from keyword_history
)

select * from final
