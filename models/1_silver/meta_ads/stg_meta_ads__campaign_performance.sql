-- grain: one row per campaign and day, every report of it
{{ config(entity='ad_performance') }}

with basic_campaign as (
    select * from {{ source('meta_ads', 'basic_campaign') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'meta_ads' as platform,
        account_id,
        'campaign' as level,
        account_name,
        campaign_id,
        campaign_name,
        {{ meta_figures() }}
    from basic_campaign
)

select * from final
