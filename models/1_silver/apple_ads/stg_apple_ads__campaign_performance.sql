-- grain: one row per campaign and day, every report of it
{{ config(entity='ad_performance') }}

with campaign_report as (
    select * from {{ source('apple_ads', 'campaign_report') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'apple_ads' as platform,
        'campaign' as level,
        -- -1 stands for what was deleted or had no id.
        nullif(id, '-1') as campaign_id,
        {{ apple_figures() }},
        {{ apple_installs() }}
    from campaign_report
)

select * from final
