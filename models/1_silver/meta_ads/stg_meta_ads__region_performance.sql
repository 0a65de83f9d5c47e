-- grain: one row per account, region and day, every report of it
{{ config(entity='ad_performance') }}

with demographics_region as (
    select * from {{ source('meta_ads', 'demographics_region') }}
),

-- Clicks are those that lead to the company's page. `clicks` counts likes and opened photos too: it
-- stands in only where the report lacks the other.
final as (
    select
        _raw_id,
        date as report_date,
        'meta_ads' as platform,
        account_id,
        'geo' as level,
        {{ segment_of([['region', 'region']]) }} as segment,
        region,
        impressions,
        coalesce(inline_link_clicks, clicks) as clicks,
        spend as spend_amount,
        reach,
        frequency
    from demographics_region
)

select * from final
