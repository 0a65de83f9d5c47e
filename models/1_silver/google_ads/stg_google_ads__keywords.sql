-- grain: one row per version of a criterion (keyword) of a Google Ads ad group
-- It promises no entity: keyword figures carry the id, and this says which words stand behind it.
{{ config(materialized='table', rows='one') }}

with ad_group_criterion_history as (
    select * from {{ source('google_ads', 'ad_group_criterion_history') }}
),

final as (
    select
        _raw_id,
        'google_ads' as platform,
        base_campaign_id as campaign_id,
        ad_group_id,
        id as keyword_id,
        keyword_text,
        keyword_match_type as match_type,
        type as criterion_type,
        status,
        updated_at
    from ad_group_criterion_history
)

select * from final
