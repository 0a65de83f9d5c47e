-- grain: one row per event of the BigQuery export, every delivery of it
{{ config(entity='web_event') }}

with events as (
    select
        _raw_id,
        from_json(payload, 'struct<
            event_date: text,
            event_timestamp: text,
            event_name: text,
            event_value_in_usd: text,
            event_bundle_sequence_id: text,
            batch_page_id: text,
            batch_ordering_id: text,
            batch_event_index: text,
            user_id: text,
            user_pseudo_id: text,
            stream_id: text,
            platform: text,
            event_params: list<struct<
                key: text,
                value: struct<
                    string_value: text, int_value: text, float_value: text, double_value: text
                >
            >>,
            user_properties: list<struct<
                key: text,
                value: struct<
                    string_value: text, int_value: text, float_value: text, double_value: text
                >
            >>,
            privacy_info: struct<analytics_storage: text, ads_storage: text>,
            device: struct<
                category: text,
                mobile_brand_name: text,
                operating_system: text,
                language: text,
                browser: text,
                web_info: struct<browser: text>
            >,
            geo: struct<country: text, region: text, city: text>,
            app_info: struct<id: text, version: text>,
            collected_traffic_source: struct<
                manual_campaign_id: text,
                manual_campaign_name: text,
                manual_source: text,
                manual_medium: text,
                manual_term: text,
                manual_content: text,
                gclid: text
            >,
            session_traffic_source_last_click: struct<
                google_ads_campaign: struct<campaign_id: text, ad_group_id: text>,
                cross_channel_campaign: struct<default_channel_group: text>
            >,
            ecommerce: struct<
                transaction_id: text,
                total_item_quantity: text,
                purchase_revenue: text,
                purchase_revenue_in_usd: text,
                refund_value: text,
                shipping_value: text,
                tax_value: text
            >,
            items: json
        >') as event
    from {{ source('ga4', 'events') }}
),

-- GA4 gives no event id. This one is the same for every delivery of one event (daily, intraday,
-- file sent twice) and differs between events that share a time: the place in its batch and all
-- parameters are part of it, as dbt-ga4 does. Parameters keep no order of their own: sorted.
identified as (
    select
        _raw_id,
        event,
        text_digest(
            event['stream_id'],
            event['user_pseudo_id'],
            event['event_timestamp'],
            event['event_name'],
            event['event_bundle_sequence_id'],
            event['batch_page_id'],
            event['batch_ordering_id'],
            event['batch_event_index'],
            kv_canonical(event['event_params'])
        ) as event_id,
        event['session_traffic_source_last_click'] as last_click,
        event['event_name'] in ('purchase', 'in_app_purchase', 'ecommerce_purchase') as is_purchase,
        {{ event_param('page_location') }} as page_url,
        {{ event_param('page_referrer') }} as referrer_url,
        stated(event['collected_traffic_source']['manual_source'], {{ event_param('source') }})
            as sent_source,
        stated(event['collected_traffic_source']['manual_medium'], {{ event_param('medium') }})
            as sent_medium,
        stated(
            event['collected_traffic_source']['manual_campaign_name'],
            {{ event_param('campaign') }}
        ) as sent_campaign
    from events
),

-- What was tagged by hand, against what GA4 wrote by itself. GA4 fills source, medium and campaign
-- also for a plain referral ('m.facebook.com', 'referral', '(referral)') and for direct visits.
-- Taken as tags, they would hide payment referrals and own domains from the channel rules, so they
-- are left to page_url and referrer_url. Where the page address carries utm tags, these are read
-- from it. What remains (auto-tagged clicks, campaigns set in the tag) is explicit.
tagged as (
    select
        *,
        url_param(page_url, 'utm_source') is null
        and url_param(page_url, 'utm_medium') is null
        and url_param(page_url, 'utm_campaign') is null
        and coalesce(sent_source, '(direct)') <> '(direct)'
        and coalesce(sent_medium, '') not in ('referral', '(none)')
        and coalesce(sent_campaign, '') not in ('(referral)', '(direct)')
        -- An organic visit is known by its referrer; without one, GA4's word is all there is.
        and (coalesce(sent_medium, '') <> 'organic' or referrer_url is null)
            as is_tagged
    from identified
),

final as (
    select
        _raw_id,
        event_id,
        event['event_timestamp'] as event_at,
        event['event_name'] as event_name,
        event['user_pseudo_id'] as anonymous_id,
        event['user_id'] as user_id,
        -- A hashed e-mail stands on the event, or on the user from then on.
        first_text(
            {{ event_param(['email', 'user_email', 'user_data_email_sha256', 'email_sha256',
                'sha256_email_address', 'hashed_email', 'em']) }},
            kv_text(event['user_properties'], 'user_data_email_sha256'),
            kv_text(event['user_properties'], 'email_sha256')
        ) as email,
        {{ event_param(['phone', 'user_phone', 'user_data_phone_sha256', 'phone_sha256',
            'sha256_phone_number', 'hashed_phone', 'ph']) }} as phone,
        {{ event_param('ga_session_id') }} as session_id,
        {{ event_param('ga_session_number') }} as session_number,
        to_integer(event['batch_ordering_id']) * 1000
        + coalesce(to_integer(event['batch_event_index']), 0) as event_sequence,
        page_url,
        {{ event_param('page_title') }} as page_title,
        referrer_url,
        text_if(is_tagged, sent_source) as utm_source,
        text_if(is_tagged, sent_medium) as utm_medium,
        text_if(is_tagged and sent_campaign <> '(organic)', sent_campaign) as utm_campaign,
        text_if(
            is_tagged,
            stated(
                event['collected_traffic_source']['manual_term'], {{ event_param('term') }}
            )
        ) as utm_term,
        text_if(
            is_tagged,
            stated(
                event['collected_traffic_source']['manual_content'], {{ event_param('content') }}
            )
        ) as utm_content,
        stated(
            event['collected_traffic_source']['manual_campaign_id'],
            {{ event_param('campaign_id') }}
        ) as utm_id,
        first_text(
            event['collected_traffic_source']['gclid'],
            {{ event_param('gclid') }},
            url_param(page_url, 'gclid')
        ) as gclid,
        {{ event_param('ignore_referrer') }} as ignore_referrer,
        stated(event['ecommerce']['transaction_id'], {{ event_param('transaction_id') }})
            as order_id,
        text_if(
            is_purchase,
            event['ecommerce']['purchase_revenue'],
            {{ event_param('value') }},
            event['ecommerce']['purchase_revenue_in_usd']
        ) as revenue_amount,
        text_if(is_purchase, event['ecommerce']['tax_value'], {{ event_param('tax') }})
            as tax_amount,
        text_if(is_purchase, event['ecommerce']['shipping_value'], {{ event_param('shipping') }})
            as shipping_amount,
        first_text(
            {{ event_param('currency') }},
            text_if(
                is_purchase
                and event['ecommerce']['purchase_revenue'] is null
                and {{ event_param('value') }} is null
                and event['ecommerce']['purchase_revenue_in_usd'] is not null,
                'USD'
            )
        ) as currency_code,
        event['ecommerce']['total_item_quantity'] as item_quantity,
        nullif(nullif(event['items'], '[]'), 'null') as items,
        {{ event_param('engagement_time_msec') }} as engagement_msec,
        {{ event_param(['session_engaged', 'engaged_session_event']) }} as is_engaged,
        event['device']['category'] as device_category,
        stated(event['device']['mobile_brand_name']) as device_brand,
        event['device']['operating_system'] as operating_system,
        stated(event['device']['web_info']['browser'], event['device']['browser']) as browser,
        event['device']['language'] as language,
        {{ event_param('user_agent') }} as user_agent,
        stated(event['geo']['country']) as country,
        stated(event['geo']['region']) as region,
        stated(event['geo']['city']) as city,
        event['platform'] as platform,
        event['stream_id'] as stream_id,
        case event['privacy_info']['analytics_storage']
            when 'Yes' then 'granted' when 'No' then 'denied' else 'unknown'
        end as consent_analytics,
        case event['privacy_info']['ads_storage']
            when 'Yes' then 'granted' when 'No' then 'denied' else 'unknown'
        end as consent_ads,
        -- Parameters that marketers ask for. Others stay in raw: a parameter may hold anything,
        -- also an address, so silver takes only what is named here.
        text_if(not is_purchase, {{ event_param('value') }}) as event_value,
        event['ecommerce']['refund_value'] as refund_value,
        {{ event_param('search_term') }} as search_term,
        {{ event_param('percent_scrolled') }} as percent_scrolled,
        {{ event_param('method') }} as method,
        {{ event_param('coupon') }} as coupon,
        {{ event_param('content_group') }} as content_group,
        {{ event_param('form_id') }} as form_id,
        {{ event_param('form_name') }} as form_name,
        {{ event_param('file_name') }} as file_name,
        {{ event_param('video_title') }} as video_title,
        {{ event_param('firebase_screen_class') }} as screen_class,
        event['app_info']['id'] as app_id,
        event['app_info']['version'] as app_version,
        last_click['google_ads_campaign']['campaign_id'] as google_ads_campaign_id,
        last_click['google_ads_campaign']['ad_group_id'] as google_ads_ad_group_id,
        last_click['cross_channel_campaign']['default_channel_group'] as tracker_channel_group
    from tagged
)

select * from final
