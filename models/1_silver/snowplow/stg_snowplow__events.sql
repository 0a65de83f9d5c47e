-- grain: one row per event of the table atomic.events, every delivery of it
{{ config(entity='web_event') }}

with events as (
    select
        _raw_id,
        app_id,
        platform,
        collector_tstamp,
        event,
        event_id,
        user_id,
        domain_userid,
        domain_sessionidx,
        network_userid,
        geo_country,
        geo_city,
        geo_region,
        geo_region_name,
        page_url,
        page_title,
        page_referrer,
        refr_medium,
        refr_source,
        refr_term,
        mkt_medium,
        mkt_source,
        mkt_term,
        mkt_content,
        mkt_campaign,
        mkt_clickid,
        mkt_network,
        se_category,
        se_action,
        se_label,
        se_property,
        se_value,
        tr_orderid,
        tr_affiliation,
        tr_total,
        tr_tax,
        tr_shipping,
        tr_currency,
        ti_orderid,
        ti_sku,
        ti_name,
        ti_category,
        ti_price,
        ti_quantity,
        ti_currency,
        useragent,
        br_family,
        br_lang,
        os_family,
        dvce_type,
        domain_sessionid,
        derived_tstamp,
        dvce_created_tstamp,
        dvce_sent_tstamp,
        event_vendor,
        event_name,
        page_view_id,
        spider_or_robot,
        device_class,
        device_brand,
        operating_system_name,
        agent_name,
        event_type,
        consent_scopes,
        first_text(
            contexts_com_snowplowanalytics_snowplow_web_page_1,
            contexts_com_snowplowanalytics_snowplow_web_page_1_0_0
        ) as web_page_json,
        first_text(
            contexts_com_snowplowanalytics_snowplow_client_session_1,
            contexts_com_snowplowanalytics_snowplow_client_session_1_0_3,
            contexts_com_snowplowanalytics_snowplow_client_session_1_0_2,
            contexts_com_snowplowanalytics_snowplow_client_session_1_0_1,
            contexts_com_snowplowanalytics_snowplow_client_session_1_0_0
        ) as client_session_json,
        first_text(
            contexts_com_iab_snowplow_spiders_and_robots_1,
            contexts_com_iab_snowplow_spiders_and_robots_1_0_0
        ) as robot_json,
        first_text(
            contexts_nl_basjes_yauaa_context_2,
            contexts_nl_basjes_yauaa_context_1,
            contexts_nl_basjes_yauaa_context_2_0_0,
            contexts_nl_basjes_yauaa_context_1_0_5,
            contexts_nl_basjes_yauaa_context_1_0_4,
            contexts_nl_basjes_yauaa_context_1_0_3,
            contexts_nl_basjes_yauaa_context_1_0_2,
            contexts_nl_basjes_yauaa_context_1_0_1,
            contexts_nl_basjes_yauaa_context_1_0_0
        ) as yauaa_json,
        first_text(
            contexts_com_snowplowanalytics_snowplow_ua_parser_context_1,
            contexts_com_snowplowanalytics_snowplow_ua_parser_context_1_0_0
        ) as ua_parser_json,
        first_text(
            unstruct_event_com_snowplowanalytics_snowplow_link_click_1,
            unstruct_event_com_snowplowanalytics_snowplow_link_click_1_0_1,
            unstruct_event_com_snowplowanalytics_snowplow_link_click_1_0_0
        ) as link_click_json,
        first_text(
            unstruct_event_com_snowplowanalytics_snowplow_consent_preferences_1,
            unstruct_event_com_snowplowanalytics_snowplow_consent_preferences_1_0_0
        ) as consent_json,
        first_text(
            unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1,
            unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1_0_2,
            unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1_0_1,
            unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1_0_0
        ) as action_json,
        first_text(
            contexts_com_snowplowanalytics_snowplow_ecommerce_transaction_1,
            contexts_com_snowplowanalytics_snowplow_ecommerce_transaction_1_0_0
        ) as transaction_json,
        first_text(
            contexts_com_snowplowanalytics_snowplow_ecommerce_refund_1,
            contexts_com_snowplowanalytics_snowplow_ecommerce_refund_1_0_0
        ) as refund_json,
        first_text(
            contexts_com_snowplowanalytics_snowplow_ecommerce_checkout_step_1,
            contexts_com_snowplowanalytics_snowplow_ecommerce_checkout_step_1_0_0
        ) as checkout_json,
        first_text(
            contexts_com_snowplowanalytics_snowplow_ecommerce_product_1,
            contexts_com_snowplowanalytics_snowplow_ecommerce_product_1_0_0
        ) as product_json
    from {{ source('snowplow', 'events') }}
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

{{ snowplow_judged('named', 'consented') }},

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
        dvce_created_tstamp,
        dvce_sent_tstamp,
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
