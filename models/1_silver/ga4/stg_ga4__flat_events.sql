-- grain: one row per event of a CSV selected from the export by hand
{{ config(entity='web_event') }}

with events_flat as (
    select * from {{ source('ga4', 'events_flat') }}
),

-- As in the export: what GA4 wrote by itself (referrals, direct visits) is no tag.
tagged as (
    select
        *,
        event_name in ('purchase', 'in_app_purchase', 'ecommerce_purchase') as is_purchase,
        url_param(page_location, 'utm_source') is null
        and url_param(page_location, 'utm_medium') is null
        and url_param(page_location, 'utm_campaign') is null
        and coalesce(source, '(direct)') <> '(direct)'
        and coalesce(medium, '') not in ('referral', '(none)')
        and coalesce(campaign, '') not in ('(referral)', '(direct)')
        and (coalesce(medium, '') <> 'organic' or page_referrer is null)
            as is_tagged
    from events_flat
),

-- Without the time there is no event_at, and the row goes to quarantine: the day alone would put
-- all events of a day into one instant.
final as (
    select
        _raw_id,
        md5(concat_ws(
            '|',
            coalesce(stream_id, ''),
            coalesce(user_pseudo_id, ''),
            coalesce(event_timestamp, ''),
            coalesce(event_name, ''),
            coalesce(event_bundle_sequence_id, ''),
            coalesce(page_location, ''),
            coalesce(transaction_id, '')
        )) as event_id,
        event_timestamp as event_at,
        event_name,
        user_pseudo_id as anonymous_id,
        user_id,
        user_data_email_sha256 as email,
        ga_session_id as session_id,
        ga_session_number as session_number,
        page_location as page_url,
        page_title,
        page_referrer as referrer_url,
        case when is_tagged then source end as utm_source,
        case when is_tagged then medium end as utm_medium,
        case when is_tagged and campaign <> '(organic)' then campaign end as utm_campaign,
        case when is_tagged then term end as utm_term,
        case when is_tagged then content end as utm_content,
        coalesce(gclid, url_param(page_location, 'gclid')) as gclid,
        stated(transaction_id) as order_id,
        case when is_purchase then purchase_revenue end as revenue_amount,
        case when is_purchase then tax_value end as tax_amount,
        case when is_purchase then shipping_value end as shipping_amount,
        currency as currency_code,
        total_item_quantity as item_quantity,
        engagement_time_msec as engagement_msec,
        session_engaged as is_engaged,
        device_category,
        operating_system,
        browser,
        language,
        stated(country) as country,
        stated(region) as region,
        stated(city) as city,
        platform,
        stream_id,
        case analytics_storage when 'Yes' then 'granted' when 'No' then 'denied' else 'unknown' end
            as consent_analytics,
        case ads_storage when 'Yes' then 'granted' when 'No' then 'denied' else 'unknown' end
            as consent_ads,
        event_value_in_usd as event_value_usd
    from tagged
)

select * from final
