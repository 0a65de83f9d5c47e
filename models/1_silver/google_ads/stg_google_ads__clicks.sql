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
        coalesce(ad_id, nullif(split_part(click_view_ad_group_ad, '~', 2), '')) as ad_id,
        coalesce(keyword_text, click_view_keyword_info_text) as keyword_text,
        device,
        ad_network_type as network,
        click_type
    from click_view
)

select * from final
