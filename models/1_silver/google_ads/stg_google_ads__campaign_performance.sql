-- grain: one row per campaign, day, network and device, every report of it
{{ config(entity='ad_performance') }}

with campaign_stats as (
    select * from {{ source('google_ads', 'campaign_stats') }}
),

final as (
    select
        _raw_id,
        date as report_date,
        'google_ads' as platform,
        customer_id as account_id,
        'campaign' as level,
        coalesce(id, campaign_id, {{ resource_id('base_campaign', 'campaigns') }}) as campaign_id,
        {{ segment_of([['network', 'ad_network_type'], ['device', 'device']]) }} as segment,
        {{ google_figures() }},
        ad_network_type as network,
        device,
        interactions,
        view_through_conversions
    from campaign_stats
)

select * from final
