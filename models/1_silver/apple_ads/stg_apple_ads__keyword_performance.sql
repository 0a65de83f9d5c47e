-- grain: one row per keyword and day, every report of it
{{ config(entity='ad_performance') }}

with keyword_report as (
    select * from {{ source('apple_ads', 'keyword_report') }}
),

-- Conversions are installs after a tap, by their new name or the one before.
-- The report names the keyword alone: where it lies stands in keywords.
final as (
    select
        _raw_id,
        date as report_date,
        'apple_ads' as platform,
        'keyword' as level,
        {{ segment_of([['keyword', 'id']]) }} as segment,
        impressions,
        taps as clicks,
        local_spend_amount as spend_amount,
        local_spend_currency as currency_code,
        coalesce(tap_installs, conversions) as platform_conversions,
        id as keyword_id,
        coalesce(tap_new_downloads, new_downloads) as new_downloads,
        coalesce(tap_redownloads, redownloads) as redownloads,
        view_installs,
        total_installs,
        lat_on_installs,
        lat_off_installs
    from keyword_report
)

select * from final
