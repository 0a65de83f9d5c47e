-- grain: one row per ad group and day, every report of it
{{ config(entity='ad_performance') }}

with ad_group_report as (
    select * from {{ source('apple_ads', 'ad_group_report') }}
),

-- Conversions are installs after a tap, by their new name or the one before.
final as (
    select
        _raw_id,
        date as report_date,
        'apple_ads' as platform,
        'ad_group' as level,
        -- -1 stands for what was deleted or had no id.
        nullif(ad_group_id, '-1') as ad_group_id,
        impressions,
        taps as clicks,
        local_spend_amount as spend_amount,
        local_spend_currency as currency_code,
        coalesce(tap_installs, conversions) as platform_conversions,
        coalesce(tap_new_downloads, new_downloads) as new_downloads,
        coalesce(tap_redownloads, redownloads) as redownloads,
        view_installs,
        total_installs,
        lat_on_installs,
        lat_off_installs
    from ad_group_report
)

select * from final
