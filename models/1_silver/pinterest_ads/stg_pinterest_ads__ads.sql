-- grain: one row per version of a Pinterest pin promotion (our ad)
{{ config(entity='campaign') }}
{%- set queries = ["split_part(destination_url, '?', 2)"] %}

with pin_promotion_history as (
    select * from {{ source('pinterest_ads', 'pin_promotion_history') }}
),

final as (
    select
        _raw_id,
        'pinterest_ads' as platform,
        'ad' as level,
        ad_account_id as account_id,
        ad_group_id,
        id as ad_id,
        name as ad_name,
        status,
        creative_type as campaign_type,
        destination_url as final_url,
        {{ tag_of(queries, 'utm_source') }} as utm_source,
        {{ tag_of(queries, 'utm_medium') }} as utm_medium,
        {{ tag_of(queries, 'utm_campaign') }} as utm_campaign,
        upper(status) = 'DELETED_DRAFT' as is_deleted,
        coalesce(updated_time, _fivetran_synced) as effective_at,
        pin_id,
        review_status,
        is_pin_deleted
    from pin_promotion_history
)

select * from final
