-- grain: one row per version of a keyword of a Microsoft Advertising ad group
-- It promises no entity: keyword figures carry the id, and this says which words stand behind it.
{{ config(materialized='table', rows='one') }}

with keyword_history as (
    select * from {{ source('microsoft_ads', 'keyword_history') }}
),

final as (
    select
        _raw_id,
        'microsoft_ads' as platform,
        ad_group_id,
        id as keyword_id,
        trim(name) as keyword_text,
        match_type,
        status,
        modified_time
    from keyword_history
)

select * from final
