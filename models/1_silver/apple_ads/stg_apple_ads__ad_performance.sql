-- grain: one row per ad, creative and day, every report of it
{{ config(entity='ad_performance') }}

with ad_level_report as (
    select * from {{ source('apple_ads', 'ad_level_report') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'apple_ads' as platform,
        'ad' as level,
        -- -1 stands for what was deleted or had no id.
        nullif(campaign_id, '-1') as campaign_id,
        nullif(ad_group_id, '-1') as ad_group_id,
        nullif(ad_id, '-1') as ad_id,
        {{ segment_of([['creative', 'creative_id']]) }} as segment,
        {{ apple_figures() }},
        creative_id,
        {{ apple_installs() }}
    from ad_level_report
)

select * from final
