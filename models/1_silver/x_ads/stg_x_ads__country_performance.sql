-- grain: one row per campaign, country, day and placement, every report of it
{{ config(entity='ad_performance') }}

with campaign_locations_report as (
    select * from {{ source('x_ads', 'campaign_locations_report') }}
),

{{ x_performance(
    'campaign_locations_report', 'geo', 'campaign_id',
    split_by=[['country', 'coalesce(segment_name, segment)']],
    columns=['coalesce(segment_name, segment) as country']
) }}

select * from final
