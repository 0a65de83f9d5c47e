-- grain: one row per ad set and day, every report of it
{{ config(entity='ad_performance') }}

with basic_ad_set as (
    select * from {{ source('meta_ads', 'basic_ad_set') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'meta_ads' as platform,
        account_id,
        'ad_group' as level,
        account_name,
        campaign_id,
        campaign_name,
        adset_id as ad_group_id,
        adset_name as ad_group_name,
        {{ meta_figures() }}
    from basic_ad_set
)

select * from final
