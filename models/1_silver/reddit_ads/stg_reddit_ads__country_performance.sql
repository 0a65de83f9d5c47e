-- grain: one row per campaign, country, region and day, every report of it
{{ config(entity='ad_performance') }}

with campaign_country_report as (
    select * from {{ source('reddit_ads', 'campaign_country_report') }}
),

-- Conversions stand in reports of their own, by event and attribution window.
final as (
    select
        _raw_id,
        date as report_date,
        'reddit_ads' as platform,
        account_id,
        'geo' as level,
        campaign_id,
        {{ segment_of([['country', 'country'], ['region', 'region']]) }} as segment,
        impressions,
        clicks,
        {{ amount_of_micros('spend') }} as spend_amount,
        country,
        region
    from campaign_country_report
)

select * from final
