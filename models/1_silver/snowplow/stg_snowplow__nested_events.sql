-- grain: one row per event of the table atomic.events as JSON or Parquet, every delivery of it
{{ config(entity='web_event') }}
{%- set vendor = 'com_snowplowanalytics_snowplow' %}

with received as (
    select
        _raw_id,
        from_json(payload, 'struct<
            app_id: text,
            platform: text,
            collector_tstamp: text,
            event: text,
            event_id: text,
            user_id: text,
            domain_userid: text,
            domain_sessionidx: text,
            network_userid: text,
            geo_country: text,
            geo_city: text,
            geo_region: text,
            geo_region_name: text,
            page_url: text,
            page_title: text,
            page_referrer: text,
            refr_medium: text,
            refr_source: text,
            refr_term: text,
            mkt_medium: text,
            mkt_source: text,
            mkt_term: text,
            mkt_content: text,
            mkt_campaign: text,
            mkt_clickid: text,
            mkt_network: text,
            se_category: text,
            se_action: text,
            se_label: text,
            se_property: text,
            se_value: text,
            tr_orderid: text,
            tr_affiliation: text,
            tr_total: text,
            tr_tax: text,
            tr_shipping: text,
            tr_currency: text,
            ti_orderid: text,
            ti_sku: text,
            ti_name: text,
            ti_category: text,
            ti_price: text,
            ti_quantity: text,
            ti_currency: text,
            useragent: text,
            br_family: text,
            br_lang: text,
            os_family: text,
            dvce_type: text,
            domain_sessionid: text,
            derived_tstamp: text,
            event_vendor: text,
            event_name: text,
            page_view_id: text,
            spider_or_robot: text,
            device_class: text,
            device_brand: text,
            operating_system_name: text,
            agent_name: text,
            event_type: text,
            consent_scopes: text,
            contexts_{{ vendor }}_web_page_1: json,
            contexts_{{ vendor }}_web_page_1_0_0: json,
            contexts_{{ vendor }}_client_session_1: json,
            contexts_{{ vendor }}_client_session_1_0_3: json,
            contexts_{{ vendor }}_client_session_1_0_2: json,
            contexts_{{ vendor }}_client_session_1_0_1: json,
            contexts_{{ vendor }}_client_session_1_0_0: json,
            contexts_com_iab_snowplow_spiders_and_robots_1: json,
            contexts_com_iab_snowplow_spiders_and_robots_1_0_0: json,
            contexts_nl_basjes_yauaa_context_2: json,
            contexts_nl_basjes_yauaa_context_1: json,
            contexts_nl_basjes_yauaa_context_2_0_0: json,
            contexts_nl_basjes_yauaa_context_1_0_5: json,
            contexts_nl_basjes_yauaa_context_1_0_4: json,
            contexts_nl_basjes_yauaa_context_1_0_3: json,
            contexts_nl_basjes_yauaa_context_1_0_2: json,
            contexts_nl_basjes_yauaa_context_1_0_1: json,
            contexts_nl_basjes_yauaa_context_1_0_0: json,
            contexts_{{ vendor }}_ua_parser_context_1: json,
            contexts_{{ vendor }}_ua_parser_context_1_0_0: json,
            unstruct_event_{{ vendor }}_link_click_1: json,
            unstruct_event_{{ vendor }}_link_click_1_0_1: json,
            unstruct_event_{{ vendor }}_link_click_1_0_0: json,
            unstruct_event_{{ vendor }}_consent_preferences_1: json,
            unstruct_event_{{ vendor }}_consent_preferences_1_0_0: json,
            unstruct_event_{{ vendor }}_ecommerce_snowplow_ecommerce_action_1: json,
            unstruct_event_{{ vendor }}_ecommerce_snowplow_ecommerce_action_1_0_2: json,
            unstruct_event_{{ vendor }}_ecommerce_snowplow_ecommerce_action_1_0_1: json,
            unstruct_event_{{ vendor }}_ecommerce_snowplow_ecommerce_action_1_0_0: json,
            contexts_{{ vendor }}_ecommerce_transaction_1: json,
            contexts_{{ vendor }}_ecommerce_transaction_1_0_0: json,
            contexts_{{ vendor }}_ecommerce_refund_1: json,
            contexts_{{ vendor }}_ecommerce_refund_1_0_0: json,
            contexts_{{ vendor }}_ecommerce_checkout_step_1: json,
            contexts_{{ vendor }}_ecommerce_checkout_step_1_0_0: json,
            contexts_{{ vendor }}_ecommerce_product_1: json,
            contexts_{{ vendor }}_ecommerce_product_1_0_0: json
        >') as event
    from {{ source('snowplow', 'events_nested') }}
),

events as (
    select
        _raw_id,
        event['app_id'] as app_id,
        event['platform'] as platform,
        event['collector_tstamp'] as collector_tstamp,
        event['event'] as event,
        event['event_id'] as event_id,
        event['user_id'] as user_id,
        event['domain_userid'] as domain_userid,
        event['domain_sessionidx'] as domain_sessionidx,
        event['network_userid'] as network_userid,
        event['geo_country'] as geo_country,
        event['geo_city'] as geo_city,
        event['geo_region'] as geo_region,
        event['geo_region_name'] as geo_region_name,
        event['page_url'] as page_url,
        event['page_title'] as page_title,
        event['page_referrer'] as page_referrer,
        event['refr_medium'] as refr_medium,
        event['refr_source'] as refr_source,
        event['refr_term'] as refr_term,
        event['mkt_medium'] as mkt_medium,
        event['mkt_source'] as mkt_source,
        event['mkt_term'] as mkt_term,
        event['mkt_content'] as mkt_content,
        event['mkt_campaign'] as mkt_campaign,
        event['mkt_clickid'] as mkt_clickid,
        event['mkt_network'] as mkt_network,
        event['se_category'] as se_category,
        event['se_action'] as se_action,
        event['se_label'] as se_label,
        event['se_property'] as se_property,
        event['se_value'] as se_value,
        event['tr_orderid'] as tr_orderid,
        event['tr_affiliation'] as tr_affiliation,
        event['tr_total'] as tr_total,
        event['tr_tax'] as tr_tax,
        event['tr_shipping'] as tr_shipping,
        event['tr_currency'] as tr_currency,
        event['ti_orderid'] as ti_orderid,
        event['ti_sku'] as ti_sku,
        event['ti_name'] as ti_name,
        event['ti_category'] as ti_category,
        event['ti_price'] as ti_price,
        event['ti_quantity'] as ti_quantity,
        event['ti_currency'] as ti_currency,
        event['useragent'] as useragent,
        event['br_family'] as br_family,
        event['br_lang'] as br_lang,
        event['os_family'] as os_family,
        event['dvce_type'] as dvce_type,
        event['domain_sessionid'] as domain_sessionid,
        event['derived_tstamp'] as derived_tstamp,
        event['event_vendor'] as event_vendor,
        event['event_name'] as event_name,
        event['page_view_id'] as page_view_id,
        event['spider_or_robot'] as spider_or_robot,
        event['device_class'] as device_class,
        event['device_brand'] as device_brand,
        event['operating_system_name'] as operating_system_name,
        event['agent_name'] as agent_name,
        event['event_type'] as event_type,
        event['consent_scopes'] as consent_scopes,
        first_text(
            event['contexts_{{ vendor }}_web_page_1'],
            event['contexts_{{ vendor }}_web_page_1_0_0']
        ) as web_page_json,
        first_text(
            event['contexts_{{ vendor }}_client_session_1'],
            event['contexts_{{ vendor }}_client_session_1_0_3'],
            event['contexts_{{ vendor }}_client_session_1_0_2'],
            event['contexts_{{ vendor }}_client_session_1_0_1'],
            event['contexts_{{ vendor }}_client_session_1_0_0']
        ) as client_session_json,
        first_text(
            event['contexts_com_iab_snowplow_spiders_and_robots_1'],
            event['contexts_com_iab_snowplow_spiders_and_robots_1_0_0']
        ) as robot_json,
        first_text(
            event['contexts_nl_basjes_yauaa_context_2'],
            event['contexts_nl_basjes_yauaa_context_1'],
            event['contexts_nl_basjes_yauaa_context_2_0_0'],
            event['contexts_nl_basjes_yauaa_context_1_0_5'],
            event['contexts_nl_basjes_yauaa_context_1_0_4'],
            event['contexts_nl_basjes_yauaa_context_1_0_3'],
            event['contexts_nl_basjes_yauaa_context_1_0_2'],
            event['contexts_nl_basjes_yauaa_context_1_0_1'],
            event['contexts_nl_basjes_yauaa_context_1_0_0']
        ) as yauaa_json,
        first_text(
            event['contexts_{{ vendor }}_ua_parser_context_1'],
            event['contexts_{{ vendor }}_ua_parser_context_1_0_0']
        ) as ua_parser_json,
        first_text(
            event['unstruct_event_{{ vendor }}_link_click_1'],
            event['unstruct_event_{{ vendor }}_link_click_1_0_1'],
            event['unstruct_event_{{ vendor }}_link_click_1_0_0']
        ) as link_click_json,
        first_text(
            event['unstruct_event_{{ vendor }}_consent_preferences_1'],
            event['unstruct_event_{{ vendor }}_consent_preferences_1_0_0']
        ) as consent_json,
        first_text(
            event['unstruct_event_{{ vendor }}_ecommerce_snowplow_ecommerce_action_1'],
            event['unstruct_event_{{ vendor }}_ecommerce_snowplow_ecommerce_action_1_0_2'],
            event['unstruct_event_{{ vendor }}_ecommerce_snowplow_ecommerce_action_1_0_1'],
            event['unstruct_event_{{ vendor }}_ecommerce_snowplow_ecommerce_action_1_0_0']
        ) as action_json,
        first_text(
            event['contexts_{{ vendor }}_ecommerce_transaction_1'],
            event['contexts_{{ vendor }}_ecommerce_transaction_1_0_0']
        ) as transaction_json,
        first_text(
            event['contexts_{{ vendor }}_ecommerce_refund_1'],
            event['contexts_{{ vendor }}_ecommerce_refund_1_0_0']
        ) as refund_json,
        first_text(
            event['contexts_{{ vendor }}_ecommerce_checkout_step_1'],
            event['contexts_{{ vendor }}_ecommerce_checkout_step_1_0_0']
        ) as checkout_json,
        first_text(
            event['contexts_{{ vendor }}_ecommerce_product_1'],
            event['contexts_{{ vendor }}_ecommerce_product_1_0_0']
        ) as product_json
    from received
),

parsed as (
    select
        *,
        from_json(client_session_json, 'list<struct<
            userId: text, user_id: text, sessionId: text, session_id: text,
            sessionIndex: text, session_index: text, eventIndex: text, event_index: text
        >>')[1] as client_session,
        from_json(robot_json, 'list<struct<spiderOrRobot: text, spider_or_robot: text>>')[1]
            as robot,
        from_json(yauaa_json, 'list<struct<
            deviceClass: text, device_class: text, deviceBrand: text, device_brand: text,
            operatingSystemName: text, operating_system_name: text,
            agentName: text, agent_name: text
        >>')[1] as yauaa,
        from_json(ua_parser_json, 'list<struct<
            osFamily: text, os_family: text, useragentFamily: text, useragent_family: text
        >>')[1] as ua_parser,
        from_json(first_text(json_text(consent_json, '[0]'), consent_json), 'struct<
            eventType: text, event_type: text, consentScopes: json, consent_scopes: json
        >') as consent,
        from_json(transaction_json, 'list<struct<
            transaction_id: text, revenue: text, currency: text, tax: text, shipping: text,
            total_quantity: text
        >>')[1] as shop_transaction,
        from_json(refund_json, 'list<struct<
            transaction_id: text, currency: text, refund_amount: text
        >>')[1] as shop_refund,
        json_text(first_text(json_text(action_json, '[0]'), action_json), 'type') as action_type,
        json_text(checkout_json, '[0].step') as checkout_step,
        from_json(
            first_text(json_text(link_click_json, '[0]'), link_click_json),
            'struct<targetUrl: text, target_url: text>'
        ) as link_click
    from events
),

-- The event by the name that the funnel and the conversions know it by. A structured event goes by
-- its action; it is no sale whatever its action says, for nothing tells which field is the order.
named as (
    select
        *,
        case
            when action_type = 'transaction' then 'purchase'
            when action_type = 'product_view' then 'view_item'
            when action_type = 'list_view' then 'view_item_list'
            when action_type = 'list_click' then 'select_item'
            when action_type = 'promo_view' then 'view_promotion'
            when action_type = 'promo_click' then 'select_promotion'
            when action_type = 'checkout_step' and checkout_step = '1' then 'begin_checkout'
            when action_type is not null then action_type
            when first_text(event_name, event) = 'transaction' then 'purchase'
            when event = 'struct'
                and se_action not in ('purchase', 'in_app_purchase', 'ecommerce_purchase')
                then se_action
            else first_text(event_name, event)
        end as known_name,
        nullif(stated(yauaa['deviceClass'], yauaa['device_class'], device_class), 'Unknown')
            as known_device_class,
        -- A visitor who logs in with an e-mail address: it is stored as its hash, never as an id.
        strpos(user_id, '@') > 1 as is_email,
        lower(stated(consent['eventType'], consent['event_type'], event_type)) as consent_choice,
        coalesce(
            from_json(
                lower(stated(
                    consent['consentScopes'], consent['consent_scopes'], consent_scopes
                )),
                'list<text>'
            ),
            from_json('[]', 'list<text>')
        ) as consented
    from parsed
),

-- What the consent dialogue says of analytics and ads. Scopes name what is allowed, in the words of
-- the site or its consent platform. Who chose among words that are not known here has denied
-- nothing that could be named.
judged as (
    select
        *,
        array_has_any(consented, make_array(
            'analytics', 'statistics', 'statistic', 'performance', 'measurement', 'c0002'
        )) as allows_analytics,
        array_has_any(consented, make_array(
            'ads', 'advertisement', 'advertising', 'marketing', 'targeting', 'c0004'
        )) as allows_ads,
        coalesce(array_length(array_except(consented, make_array(
            'analytics', 'statistics', 'statistic', 'performance', 'measurement', 'c0002',
            'ads', 'advertisement', 'advertising', 'marketing', 'targeting', 'c0004',
            'necessary', 'essential', 'functional', 'preferences', 'personalization',
            'c0001', 'c0003'
        ))), 0) = 0 as has_known_scopes_only
    from named
),

final as (
    select
        _raw_id,
        event_id,
        -- The time corrected for the device's clock; the collector's where there is none.
        stated(derived_tstamp, collector_tstamp) as event_at,
        known_name as event_name,
        stated(domain_userid, client_session['userId'], client_session['user_id'])
            as anonymous_id,
        text_if(not is_email, user_id) as user_id,
        text_if(is_email, user_id) as email,
        stated(domain_sessionid, client_session['sessionId'], client_session['session_id'])
            as session_id,
        stated(domain_sessionidx, client_session['sessionIndex'], client_session['session_index'])
            as session_number,
        stated(client_session['eventIndex'], client_session['event_index']) as event_sequence,
        page_url,
        page_title,
        page_referrer as referrer_url,
        mkt_source as utm_source,
        mkt_medium as utm_medium,
        mkt_campaign as utm_campaign,
        mkt_term as utm_term,
        mkt_content as utm_content,
        text_if(mkt_network = 'Google', mkt_clickid) as gclid,
        refr_medium = 'internal' as ignore_referrer,
        stated(
            shop_transaction['transaction_id'],
            shop_refund['transaction_id'],
            tr_orderid,
            ti_orderid
        ) as order_id,
        text_if(known_name = 'purchase', shop_transaction['revenue'], tr_total) as revenue_amount,
        text_if(known_name = 'purchase', shop_transaction['tax'], tr_tax) as tax_amount,
        text_if(known_name = 'purchase', shop_transaction['shipping'], tr_shipping)
            as shipping_amount,
        stated(
            shop_transaction['currency'], shop_refund['currency'], tr_currency, ti_currency
        ) as currency_code,
        stated(shop_transaction['total_quantity'], ti_quantity) as item_quantity,
        nullif(product_json, '[]') as items,
        -- A page ping says that the page was looked at since the one before it.
        case
            when known_name = 'page_ping'
                then {{ var('snowplow_heartbeat_seconds', 10) }} * 1000
        end as engagement_msec,
        case lower(stated(known_device_class, nullif(dvce_type, 'Unknown')))
            when 'computer' then 'desktop'
            when 'phone' then 'mobile'
            else lower(stated(known_device_class, nullif(dvce_type, 'Unknown')))
        end as device_category,
        nullif(stated(yauaa['deviceBrand'], yauaa['device_brand'], device_brand), 'Unknown')
            as device_brand,
        stated(
            nullif(
                stated(
                    yauaa['operatingSystemName'],
                    yauaa['operating_system_name'],
                    operating_system_name
                ),
                'Unknown'
            ),
            nullif(stated(ua_parser['osFamily'], ua_parser['os_family']), 'Other'),
            os_family
        ) as operating_system,
        stated(
            nullif(stated(yauaa['agentName'], yauaa['agent_name'], agent_name), 'Unknown'),
            nullif(stated(ua_parser['useragentFamily'], ua_parser['useragent_family']), 'Other'),
            br_family
        ) as browser,
        br_lang as language,
        useragent as user_agent,
        -- The IAB's list of spiders and robots, or what the user agent calls itself.
        to_boolean(stated(robot['spiderOrRobot'], robot['spider_or_robot'], spider_or_robot))
        or known_device_class like 'Robot%' as is_bot,
        geo_country as country,
        stated(geo_region_name, geo_region) as region,
        geo_city as city,
        case
            when platform = 'mob' and lower(os_family) like '%ios%' then 'IOS'
            when platform = 'mob' and lower(os_family) like '%android%' then 'ANDROID'
            else upper(platform)
        end as platform,
        app_id as stream_id,
        case
            when consent_choice in ('withdrawn', 'expired') then 'denied'
            when consent_choice = 'pending' then null
            when allows_analytics or consent_choice = 'allow_all' then 'granted'
            when consent_choice = 'deny_all' then 'denied'
            when consent_choice in ('allow_selected', 'implicit_consent') and has_known_scopes_only
                then 'denied'
        end as consent_analytics,
        case
            when consent_choice in ('withdrawn', 'expired') then 'denied'
            when consent_choice = 'pending' then null
            when allows_ads or consent_choice = 'allow_all' then 'granted'
            when consent_choice = 'deny_all' then 'denied'
            when consent_choice in ('allow_selected', 'implicit_consent') and has_known_scopes_only
                then 'denied'
        end as consent_ads,
        -- What else marketers ask for. IP address, fingerprint, postcode and coordinates stay in
        -- raw, and so do the fields of other self-describing events: they may hold anything.
        event_vendor,
        stated(page_view_id, json_text(web_page_json, '[0].id')) as page_view_id,
        network_userid,
        stated(link_click['targetUrl'], link_click['target_url']) as target_url,
        refr_medium,
        refr_source,
        refr_term,
        mkt_network,
        mkt_clickid,
        se_category,
        se_action,
        se_label,
        se_property,
        se_value,
        tr_affiliation,
        ti_sku,
        ti_name,
        ti_category,
        ti_price,
        shop_refund['refund_amount'] as refund_value,
        consent_choice
    from judged
)

select * from final
