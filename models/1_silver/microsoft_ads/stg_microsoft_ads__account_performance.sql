-- grain: one row per account, day, network, device and match type, every report of it
{{ config(entity='ad_performance') }}

with account_performance_daily_report as (
    select * from {{ source('microsoft_ads', 'account_performance_daily_report') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'microsoft_ads' as platform,
        account_id,
        'account' as level,
        {{ microsoft_segment(without=['language']) }} as segment,
        {{ microsoft_figures() }},
        {{ microsoft_delivery_columns(without=['language']) }},
        all_conversions_qualified as all_conversions
    from account_performance_daily_report
)

select * from final
