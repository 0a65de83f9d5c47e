-- grain: one row per click of the click report
{{ config(entity='ad_click') }}

with click_view as (
    select * from {{ source('google_ads', 'click_view') }}
),

final as (
    select
        _raw_id,
        coalesce(gclid, click_view_gclid) as click_id,
        coalesce(date, segments_date) as click_date,
        'google_ads' as platform,
        customer_id as account_id,
        campaign_id,
        ad_group_id,
        -- Where the ad is named by its resource: customers/1/adGroupAds/<ad group>~<ad>.
        coalesce(
            ad_id,
            nullif(split_part(coalesce(ad_group_ad, click_view_ad_group_ad), '~', 2), '')
        ) as ad_id,
        coalesce(keyword_text, keyword_info_text, click_view_keyword_info_text) as keyword_text,
        coalesce(device, segments_device) as device,
        coalesce(ad_network_type, segments_ad_network_type) as network,
        coalesce(click_type, segments_click_type) as click_type,
        coalesce(
            area_of_interest_city, click_view_area_of_interest_city,
            location_of_presence_city, click_view_location_of_presence_city
        ) as area
    from click_view
)

select * from final
