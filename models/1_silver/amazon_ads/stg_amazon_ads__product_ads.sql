-- grain: one row per version of an Amazon Ads product ad (our ad)
{{ config(entity='campaign') }}

with product_ad_history as (
    select * from {{ source('amazon_ads', 'product_ad_history') }}
),

-- A product ad has no name: it goes by its product. What is archived never comes back.
final as (
    select
        _raw_id,
        'amazon_ads' as platform,
        'ad' as level,
        campaign_id,
        ad_group_id,
        id as ad_id,
        coalesce(sku, asin) as ad_name,
        state as status,
        upper(state) = 'ARCHIVED' as is_deleted,
        serving_status,
        asin,
        sku
    from product_ad_history
)

select * from final
