-- grain: one row per version of a Pinterest keyword
-- It promises no entity: keyword figures carry the id, and this says which words stand behind it.
{{ config(materialized='table', rows='one') }}

with keyword_history as (
    select * from {{ source('pinterest_ads', 'keyword_history') }}
),

final as (
    select
        _raw_id,
        'pinterest_ads' as platform,
        advertiser_id as account_id,
        campaign_id,
        ad_group_id,
        id as keyword_id,
        value as keyword_text,
        match_type,
        parent_type,
        archived as is_archived,
        bid,
        _fivetran_synced as synced_at
    from keyword_history
)

select * from final
