-- grain: one row per ad, creative and day, every report of it
{{ config(entity='ad_performance') }}

with ad_level_report as (
    select * from {{ source('apple_ads', 'ad_level_report') }}
),

-- Conversions are installs after a tap, by their new name or the one before.
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
        impressions,
        taps as clicks,
        local_spend_amount as spend_amount,
        local_spend_currency as currency_code,
        coalesce(tap_installs, conversions) as platform_conversions,
        creative_id,
        coalesce(tap_new_downloads, new_downloads) as new_downloads,
        coalesce(tap_redownloads, redownloads) as redownloads,
        view_installs,
        total_installs,
        lat_on_installs,
        lat_off_installs
    from ad_level_report
)

select * from final
