-- grain: one row per ad group, day, network and device, every report of it
{{ config(entity='ad_performance') }}

with ad_group_stats as (
    select * from {{ source('google_ads', 'ad_group_stats') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'google_ads' as platform,
        customer_id as account_id,
        'ad_group' as level,
        campaign_id,
        coalesce(id, ad_group_id, {{ resource_id('base_ad_group', 'adGroups') }}) as ad_group_id,
        {{ segment_of([['network', 'ad_network_type'], ['device', 'device']]) }} as segment,
        {{ google_figures() }},
        ad_network_type as network,
        device,
        interactions,
        view_through_conversions
    from ad_group_stats
)

select * from final
