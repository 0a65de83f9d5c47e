-- grain: one row per ad group, place, goal, day, network, device, match type, every report of it
{{ config(entity='ad_performance') }}

with geographic_performance_daily_report as (
    select * from {{ source('microsoft_ads', 'geographic_performance_daily_report') }}
),

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
        {{ microsoft_segment([
            ['place_of', 'location_type'], ['location', 'location_id'], ['country', 'country'],
            ['state', 'state'], ['metro', 'metro_area'], ['county', 'county'], ['city', 'city'],
            ['postal_code', 'postal_code'], ['goal', 'goal'],
        ]) }} as segment,
        {{ microsoft_figures() }},
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
        {{ microsoft_delivery_columns() }},
        coalesce(all_conversions_qualified, all_conversions) as all_conversions,
        all_revenue
    from geographic_performance_daily_report
)

select * from final
