-- grain: one row per ad group, place, goal, day, network, device, match type, every report of it
{{ config(entity='ad_performance') }}

with geographic_performance_daily_report as (
    select * from {{ source('microsoft_ads', 'geographic_performance_daily_report') }}
),

-- Conversions are the qualified ones; the older column stands in only where a report lacks them.
-- All that names the place is in the segment: one location can come with several postal codes.
final as (
    select
        _raw_id,
        date as report_date,
        'microsoft_ads' as platform,
        account_id,
        'geo' as level,
        campaign_id,
        ad_group_id,
        {{ segment_of([
            ['network', 'network'], ['device', 'device_type'], ['os', 'device_os'],
            ['language', 'language'], ['distribution', 'ad_distribution'],
            ['bid_match', 'bid_match_type'], ['match', 'delivered_match_type'],
            ['position', 'top_vs_other'], ['place_of', 'location_type'],
            ['location', 'location_id'], ['country', 'country'], ['state', 'state'],
            ['metro', 'metro_area'], ['county', 'county'], ['city', 'city'],
            ['postal_code', 'postal_code'], ['goal', 'goal'],
        ]) }} as segment,
        impressions,
        clicks,
        spend as spend_amount,
        currency_code,
        coalesce(conversions_qualified, conversions) as platform_conversions,
        revenue as platform_conversion_amount,
        country,
        state,
        metro_area,
        county,
        city,
        postal_code,
        location_id,
        location_type,
        most_specific_location,
        goal,
        network,
        device_type as device,
        device_os,
        language,
        ad_distribution,
        bid_match_type,
        delivered_match_type,
        top_vs_other,
        coalesce(all_conversions_qualified, all_conversions) as all_conversions,
        all_revenue
    from geographic_performance_daily_report
)

select * from final
