-- grain: one row per ad and hour, every report of it
{{ config(entity='ad_performance') }}
{%- set columns = [
    'ad_id', 'stat_time_hour', 'impressions', 'clicks', 'spend', 'conversion',
    'real_time_conversion', 'total_purchase_value', 'total_sales_lead_value', 'reach',
    'video_play_actions', 'video_watched_2_s', 'video_watched_6_s', 'likes', 'comments', 'shares',
    'follows', 'profile_visits',
] %}

with ad_report_hourly as (
    select * from {{ source('tiktok_ads', 'ad_report_hourly') }}
),

-- Some warehouses write the names of columns in capitals: those are other columns to SQL.
named as (
    select
        _raw_id
        {%- for column in columns %},
        coalesce({{ column }}, "{{ column | upper }}") as {{ column }}
        {%- endfor %}
    from ad_report_hourly
),

with_hour as (
    select
        *,
        lpad(cast(date_part('hour', to_instant(stat_time_hour)) as text), 2, '0') as stat_hour
    from named
),

-- The hour is in the segment: the hours of a day stand side by side and sum to it. `-` is TikTok's
-- word for a figure that there is none of.
final as (
    select
        _raw_id,
        stat_time_hour as report_date,
        'tiktok_ads' as platform,
        'ad' as level,
        ad_id,
        {{ segment_of([['hour', 'stat_hour']]) }} as segment,
        impressions,
        clicks,
        spend as spend_amount,
        nullif(conversion, '-') as platform_conversions,
        coalesce(
            try_cast(total_purchase_value as decimal(18, 6))
            + try_cast(total_sales_lead_value as decimal(18, 6)),
            try_cast(total_purchase_value as decimal(18, 6)),
            try_cast(total_sales_lead_value as decimal(18, 6))
        ) as platform_conversion_amount,
        real_time_conversion,
        total_purchase_value,
        total_sales_lead_value,
        reach,
        video_play_actions,
        video_watched_2_s,
        video_watched_6_s,
        likes,
        comments,
        shares,
        follows,
        profile_visits
    from with_hour
)

select * from final
