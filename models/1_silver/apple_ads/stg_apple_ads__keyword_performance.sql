-- grain: one row per keyword and day, every report of it
{{ config(entity='ad_performance') }}

with keyword_report as (
    select * from {{ source('apple_ads', 'keyword_report') }}
),

-- The report names the keyword alone: where it lies stands in keywords.
final as (
    select
        _raw_id,
        date as report_date,
        'apple_ads' as platform,
        'keyword' as level,
        {{ segment_of([['keyword', 'id']]) }} as segment,
        {{ apple_figures() }},
        id as keyword_id,
        {{ apple_installs() }}
    from keyword_report
)

select * from final
