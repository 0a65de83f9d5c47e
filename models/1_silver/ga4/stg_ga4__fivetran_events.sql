-- grain: one row per event of Fivetran's flat GA4 table, every delivery of it
{{ config(entity='web_event') }}

with event as (
    select * from {{ source('ga4', 'event') }}
),

named as (
    select
        *,
        name in ('purchase', 'in_app_purchase', 'ecommerce_purchase') as is_purchase,
        stated(collected_traffic_source_manual_source, param_source)
            as sent_source,
        stated(collected_traffic_source_manual_medium, param_medium)
            as sent_medium,
        stated(collected_traffic_source_manual_campaign_name, param_campaign)
            as sent_campaign
    from event
),

-- As in the export: what GA4 wrote by itself (referrals, direct visits) is no tag.
tagged as (
    select
        *,
        url_param(param_page_location, 'utm_source') is null
        and url_param(param_page_location, 'utm_medium') is null
        and url_param(param_page_location, 'utm_campaign') is null
        and coalesce(sent_source, '(direct)') <> '(direct)'
        and coalesce(sent_medium, '') not in ('referral', '(none)')
        and coalesce(sent_campaign, '') not in ('(referral)', '(direct)')
        and (coalesce(sent_medium, '') <> 'organic' or param_page_referrer is null)
            as is_tagged
    from named
),

final as (
    select
        _raw_id,
        md5(concat_ws(
            '|',
            coalesce(_fivetran_id, ''),
            coalesce(stream_id, ''),
            coalesce(user_pseudo_id, ''),
            coalesce(timestamp, ''),
            coalesce(name, ''),
            coalesce(bundle_sequence_id, ''),
            coalesce(batch_page_id, ''),
            coalesce(batch_ordering_id, ''),
            coalesce(batch_event_index, '')
        )) as event_id,
        timestamp as event_at,
        name as event_name,
        user_pseudo_id as anonymous_id,
        user_id,
        coalesce(param_user_data_email_sha256, param_email_sha256) as email,
        param_ga_session_id as session_id,
        param_ga_session_number as session_number,
        batch_event_index as event_sequence,
        param_page_location as page_url,
        param_page_title as page_title,
        param_page_referrer as referrer_url,
        case when is_tagged then sent_source end as utm_source,
        case when is_tagged then sent_medium end as utm_medium,
        case when is_tagged and sent_campaign <> '(organic)' then sent_campaign end as utm_campaign,
        case
            when is_tagged then coalesce(collected_traffic_source_manual_term, param_term)
        end as utm_term,
        case
            when is_tagged then coalesce(collected_traffic_source_manual_content, param_content)
        end as utm_content,
        stated(collected_traffic_source_manual_campaign_id, param_campaign_id)
            as utm_id,
        coalesce(
            collected_traffic_source_gclid, param_gclid, url_param(param_page_location, 'gclid')
        ) as gclid,
        param_ignore_referrer as ignore_referrer,
        stated(ecommerce_transaction_id, param_transaction_id) as order_id,
        case
            when is_purchase
                then coalesce(
                    ecommerce_purchase_revenue, param_value, ecommerce_purchase_revenue_in_usd
                )
        end as revenue_amount,
        case
            when is_purchase then coalesce(param_tax, ecommerce_tax_value_in_usd)
        end as tax_amount,
        case
            when is_purchase then coalesce(param_shipping, ecommerce_shipping_value_in_usd)
        end as shipping_amount,
        case
            when param_currency is not null then param_currency
            when
                is_purchase
                and ecommerce_purchase_revenue is null
                and param_value is null
                and ecommerce_purchase_revenue_in_usd is not null
                then 'USD'
        end as currency_code,
        ecommerce_total_item_quantity as item_quantity,
        param_engagement_time_msec as engagement_msec,
        coalesce(param_session_engaged, param_engaged_session_event) as is_engaged,
        device_category,
        stated(device_mobile_brand_name) as device_brand,
        device_operating_system as operating_system,
        device_web_info_browser as browser,
        device_language as language,
        stated(geo_country) as country,
        stated(geo_region) as region,
        stated(geo_city) as city,
        upper(platform) as platform,
        stream_id,
        case privacy_info_analytics_storage
            when 'Yes' then 'granted' when 'No' then 'denied' else 'unknown'
        end as consent_analytics,
        case privacy_info_ads_storage
            when 'Yes' then 'granted' when 'No' then 'denied' else 'unknown'
        end as consent_ads,
        value_in_usd as event_value_usd,
        ecommerce_refund_value_in_usd as refund_value_usd,
        param_search_term as search_term,
        param_percent_scrolled as percent_scrolled,
        param_video_title as video_title,
        param_video_duration as video_duration,
        event_dimensions_hostname as hostname,
        is_intraday
    from tagged
)

select * from final
