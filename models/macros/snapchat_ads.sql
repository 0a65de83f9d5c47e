{#- What the reports of Snapchat have in common: counts come with decimals, money in millionths. -#}

{#- What stands in an hourly report, of campaigns, ad squads or ads by their `id`. -#}
{%- macro snapchat_hourly_performance(relation, level, id) -%}
-- The hour is a segment of the day: the hours of a day add up to it. Purchases are the conversions;
-- what else people did stands apart.
final as (
    select
        _raw_id,
        left(date, 10) as report_date,
        'snapchat_ads' as platform,
        '{{ level }}' as level,
        {{ as_column(id, level ~ '_id') }},
        {{ segment_of([['hour', "regexp_match(date, '[T ]([0-9]{2}):')[1]"]]) }} as segment,
        {{ snapchat_figures() }},
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
    from {{ relation }}
)
{%- endmacro -%}

{#- What stands in a daily report of campaigns by the column `place`: country or region. -#}
{%- macro snapchat_geo_performance(relation, place) -%}
final as (
    select
        _raw_id,
        left(date, 10) as report_date,
        'snapchat_ads' as platform,
        'geo' as level,
        campaign_id,
        {{ segment_of([[place, place]]) }} as segment,
        {{ snapchat_figures() }},
        {{ place }},
        video_views,
        view_completion,
        screen_time_millis,
        shares,
        saves
    from {{ relation }}
)
{%- endmacro -%}

{#- The figures of record. Clicks are swipes up, conversions are purchases. -#}
{%- macro snapchat_figures() -%}
{{ whole('impressions') }} as impressions,
        {{ whole('swipes') }} as clicks,
        {{ amount_of_micros('spend') }} as spend_amount,
        conversion_purchases as platform_conversions,
        {{ amount_of_micros('conversion_purchases_value') }} as platform_conversion_amount
{%- endmacro -%}
