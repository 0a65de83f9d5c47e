-- grain: one row per campaign, region, day and placement, every report of it
{{ config(entity='ad_performance') }}

with campaign_regions_report as (
    select
        *,
        coalesce(segment_name, segment) as region,
        coalesce(
            country_name, case when upper(location_type) = 'COUNTRIES' then location_name end
        ) as country
    from {{ source('x_ads', 'campaign_regions_report') }}
),

{{ x_performance(
    'campaign_regions_report', 'geo', 'campaign_id',
    split_by=[['country', 'country'], ['region', 'region']],
    columns=['region', 'country']
) }}

select * from final
