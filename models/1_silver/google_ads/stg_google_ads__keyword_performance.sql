-- grain: one row per keyword, day, network and device, every report of it
{{ config(entity='ad_performance') }}

with keyword_stats as (
    select * from {{ source('google_ads', 'keyword_stats') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'google_ads' as platform,
        customer_id as account_id,
        'keyword' as level,
        campaign_id,
        ad_group_id,
        {{ segment_of([
            ['network', 'ad_network_type'], ['device', 'device'],
            ['keyword', 'ad_group_criterion_criterion_id'],
        ]) }} as segment,
        {{ google_figures() }},
        ad_network_type as network,
        device,
        interactions,
        view_through_conversions,
        ad_group_criterion_criterion_id as keyword_id
    from keyword_stats
)

select * from final
