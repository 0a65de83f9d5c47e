-- grain: one row per version of a Snapchat ad
{{ config(entity='campaign') }}

with ad_history as (
    select * from {{ source('snapchat_ads', 'ad_history') }}
),

final as (
    select
        _raw_id,
        'snapchat_ads' as platform,
        'ad' as level,
        ad_squad_id as ad_group_id,
        id as ad_id,
        name as ad_name,
        coalesce(updated_at, _fivetran_synced) as effective_at,
        creative_id
    from ad_history
)

select * from final
