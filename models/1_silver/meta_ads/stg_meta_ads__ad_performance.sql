-- grain: one row per ad and day, every report of it
{{ config(entity='ad_performance') }}

with basic_ad as (
    select * from {{ source('meta_ads', 'basic_ad') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'meta_ads' as platform,
        account_id,
        'ad' as level,
        account_name,
        campaign_id,
        campaign_name,
        coalesce(adset_id, ad_set_id) as ad_group_id,
        adset_name as ad_group_name,
        ad_id,
        ad_name,
        {{ meta_figures() }}
    from basic_ad
)

select * from final
