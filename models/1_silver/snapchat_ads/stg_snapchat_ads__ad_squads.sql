-- grain: one row per version of a Snapchat ad squad (our ad group)
{{ config(entity='campaign') }}

with ad_squad_history as (
    select * from {{ source('snapchat_ads', 'ad_squad_history') }}
),

final as (
    select
        _raw_id,
        'snapchat_ads' as platform,
        'ad_group' as level,
        campaign_id,
        id as ad_group_id,
        name as ad_group_name,
        coalesce(updated_at, _fivetran_synced) as effective_at
    from ad_squad_history
)

select * from final
