-- grain: one row per promoted tweet (our ad), day and placement, every report of it
{{ config(entity='ad_performance') }}
{%- set kinds = ['purchases', 'sign_ups', 'downloads', 'custom'] %}

with promoted_tweet_report as (
    select * from {{ source('x_ads', 'promoted_tweet_report') }}
),

-- Of what X calls conversions, visits of the site are none here. Sale amounts are in millionths.
promoted_tweet_report_with_conversions as (
    select
        *,
        {{ x_conversions(kinds) }} as conversions,
        {{ x_sale_micros(kinds) }} as sale_micros
    from promoted_tweet_report
),

-- Clicks are those on links. `clicks` counts likes and opened profiles too: it stands in only where
-- the report lacks the other.
final as (
    select
        _raw_id,
        -- The account's midnight, written in UTC: 15:00 of the day before in Tokyo, 07:00 in Los
        -- Angeles. The nearest midnight is that of the day.
        coalesce(
            cast(local_date(to_instant(date) + interval '13 hours', 'UTC') as text), date
        ) as report_date,
        'x_ads' as platform,
        account_id,
        'ad' as level,
        promoted_tweet_id as ad_id,
        {{ segment_of([['placement', 'placement']]) }} as segment,
        impressions,
        coalesce(url_clicks, clicks) as clicks,
        {{ amount_of_micros('billed_charge_local_micro') }} as spend_amount,
        conversions as platform_conversions,
        {{ amount_of_micros('sale_micros') }} as platform_conversion_amount,
        placement,
        clicks as all_clicks,
        engagements,
        billed_engagements,
        app_clicks,
        likes,
        replies,
        retweets,
        follows,
        video_total_views,
        {%- for kind in kinds %}
        conversion_{{ kind }}_metric as {{ kind }},
        {%- endfor %}
        {%- for kind in ['purchases', 'sign_ups'] %}
        conversion_{{ kind }}_post_engagement as {{ kind }}_post_engagement,
        conversion_{{ kind }}_post_view as {{ kind }}_post_view,
        conversion_{{ kind }}_assisted as {{ kind }}_assisted,
        {%- endfor %}
        conversion_site_visits_metric as site_visits,
        mobile_conversion_installs_post_engagement as installs_post_engagement,
        mobile_conversion_installs_post_view as installs_post_view,
        mobile_conversion_installs_assisted as installs_assisted
    from promoted_tweet_report_with_conversions
)

select * from final
