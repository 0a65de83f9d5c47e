-- grain: one row per version of an Apple Ads keyword
-- It promises no entity: keyword figures carry the id, and this says which words stand behind it.
{{ config(materialized='table', rows='one') }}

with keyword_history as (
    select * from {{ source('apple_ads', 'keyword_history') }}
),

final as (
    select
        _raw_id,
        'apple_ads' as platform,
        campaign_id,
        ad_group_id,
        id as keyword_id,
        text as keyword_text,
        match_type,
        bid_amount as bid,
        bid_currency as currency_code,
        status,
        deleted as is_deleted,
        modification_time as updated_at
    from keyword_history
)

select * from final
