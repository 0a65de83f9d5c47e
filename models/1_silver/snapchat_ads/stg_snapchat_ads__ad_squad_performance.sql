-- grain: one row per ad squad (our ad group) and hour, every report of it
{{ config(entity='ad_performance') }}

with ad_squad_hourly_report as (
    select * from {{ source('snapchat_ads', 'ad_squad_hourly_report') }}
),

-- The hour is a segment of the day: the hours of a day add up to it. Purchases are the conversions;
-- what else people did stands apart.
final as (
    select
        _raw_id,
        left(date, 10) as report_date,
        'snapchat_ads' as platform,
        'ad_group' as level,
        ad_squad_id as ad_group_id,
        {{ segment_of([['hour', "regexp_match(date, '[T ]([0-9]{2}):')[1]"]]) }} as segment,
        {{ whole('impressions') }} as impressions,
        {{ whole('swipes') }} as clicks,
        {{ amount_of_micros('spend') }} as spend_amount,
        conversion_purchases as platform_conversions,
        {{ amount_of_micros('conversion_purchases_value') }} as platform_conversion_amount,
        video_views,
        view_completion,
        screen_time_millis,
        shares,
        saves,
        total_installs,
        conversion_sign_ups as sign_ups,
        conversion_add_cart as add_cart,
        conversion_add_billing as add_billing,
        conversion_start_checkout as start_checkout,
        conversion_view_content as view_content,
        conversion_page_views as page_views,
        conversion_searches as searches,
        conversion_save as saved,
        conversion_app_opens as app_opens,
        conversion_level_completes as level_completes
    from ad_squad_hourly_report
)

select * from final
