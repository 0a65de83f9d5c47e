-- grain: one row per account, day, network and device, every report of it
{{ config(entity='ad_performance') }}

with account_stats as (
    select * from {{ source('google_ads', 'account_stats') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'google_ads' as platform,
        customer_id as account_id,
        'account' as level,
        {{ segment_of([['network', 'ad_network_type'], ['device', 'device']]) }} as segment,
        {{ google_figures() }},
        ad_network_type as network,
        device,
        interactions,
        view_through_conversions
    from account_stats
)

select * from final
