-- grain: one row per ad group and day, every report of it
{{ config(entity='ad_performance') }}

with ad_group_report as (
    select * from {{ source('apple_ads', 'ad_group_report') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'apple_ads' as platform,
        'ad_group' as level,
        -- -1 stands for what was deleted or had no id.
        nullif(ad_group_id, '-1') as ad_group_id,
        {{ apple_figures() }},
        {{ apple_installs() }}
    from ad_group_report
)

select * from final
