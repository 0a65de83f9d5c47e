-- grain: one row per track call in Parquet or JSON lines, every delivery of it
{{ config(entity='web_event') }}
{%- set columns = [
    'id', 'anonymous_id', 'user_id', 'timestamp', '_timestamp', 'original_timestamp', 'sent_at',
    'received_at', 'channel', 'event', 'event_text', 'order_id', 'transaction_id',
    'checkout_id', 'total', 'subtotal', 'revenue', 'value', 'shipping', 'tax', 'discount',
    'coupon', 'currency', 'affiliation', 'products', 'cart_id', 'product_id', 'sku', 'name',
    'category', 'brand', 'variant', 'price', 'quantity', 'list_id', 'promotion_id', 'query',
    'method', 'plan', 'email', 'phone', 'context_user_agent', 'context_user_agent_data_mobile',
    'context_user_agent_data_platform', 'context_locale', 'context_page_url',
    'context_page_title', 'context_page_referrer', 'context_campaign_source',
    'context_campaign_medium', 'context_campaign_name', 'context_campaign_term',
    'context_campaign_content', 'context_campaign_id', 'context_session_id',
    'context_device_type', 'context_device_manufacturer', 'context_device_model',
    'context_os_name', 'context_app_name', 'context_app_version', 'context_library_name',
    'context_source_id', 'context_group_id', 'context_traits_email', 'context_traits_phone',
    'context_location_country', 'context_location_region', 'context_location_city',
    'context_consent_category_preferences_analytics',
    'context_consent_category_preferences_performance',
    'context_consent_category_preferences_c0002',
    'context_consent_category_preferences_advertising',
    'context_consent_category_preferences_marketing',
    'context_consent_category_preferences_targeting',
    'context_consent_category_preferences_c0004',
    'context_consent_management_allowed_consent_ids',
    'context_consent_management_denied_consent_ids',
] %}

with received as (
    select
        _raw_id,
        _effective_at,
        from_json(payload, 'struct<{{ columns | join(": text, ") }}: text>') as call
    from {{ source('segment', 'tracks_parquet') }}
),

tracks as (
    select
        _raw_id,
        _effective_at
        {%- for column in columns %},
        call['{{ column }}'] as "{{ column }}"
        {%- endfor %}
    from received
),

-- The event by its slug, as its own table is called.
slugged as (
    select
        *,
        lower(stated(event, regexp_replace(trim(event_text), '[^A-Za-z0-9]+', '_', 'g'))) as slug,
        coalesce(strpos(user_id, '@') > 1, false) as is_email,
        -- RudderStack writes $direct where there is no referrer.
        nullif(context_page_referrer, '$direct') as referrer_url,
        -- An event stands in `tracks` without its properties, and in its own table with them, under
        -- one id. The row that knows something of its own is taken for the newer one, so that it
        -- stays, in whatever order the files come.
        coalesce(
            order_id, transaction_id, checkout_id, total, subtotal, revenue, value, shipping, tax,
            discount, coupon, currency, affiliation, products, cart_id, product_id, sku, name,
            category, brand, variant, price, quantity, list_id, promotion_id, query, method, plan,
            email, phone
        ) is not null as has_properties,
        from_json(lower(context_consent_management_allowed_consent_ids), 'list<text>')
            as allowed,
        from_json(lower(context_consent_management_denied_consent_ids), 'list<text>')
            as denied
    from tracks
),

-- The names that the funnel and the conversions know, for the events of the e-commerce
-- specification (and those of its first version) and the sign-ups of the B2B one.
named as (
    select
        *,
        case
            when slug in ('order_completed', 'completed_order') then 'purchase'
            when slug in ('product_viewed', 'viewed_product') then 'view_item'
            when slug in ('product_added', 'added_product') then 'add_to_cart'
            when slug in ('product_removed', 'removed_product') then 'remove_from_cart'
            when slug in ('product_clicked', 'clicked_product') then 'select_item'
            when slug in ('product_list_viewed', 'viewed_product_category')
                then 'view_item_list'
            when slug in ('promotion_viewed', 'viewed_promotion') then 'view_promotion'
            when slug in ('promotion_clicked', 'clicked_promotion') then 'select_promotion'
            when slug = 'products_searched' then 'search'
            when slug = 'product_added_to_wishlist' then 'add_to_wishlist'
            when slug = 'cart_viewed' then 'view_cart'
            when slug in ('checkout_started', 'started_order') then 'begin_checkout'
            when slug = 'payment_info_entered' then 'add_payment_info'
            when slug = 'order_refunded' then 'refund'
            when slug in ('product_shared', 'cart_shared') then 'share'
            when slug = 'signed_up' then 'sign_up'
            when slug = 'signed_in' then 'login'
            else slug
        end as known_name
    from slugged
),

-- What the visitor allowed, as the consent manager stamped it on the call: a yes or no for each
-- category (Segment), or lists of the categories that are allowed and denied (RudderStack).
-- Categories have the site's own names; those here are known, the others stay in raw.
asked as (
    select
        *,
        coalesce(
            to_boolean(first_text(
                context_consent_category_preferences_analytics,
                context_consent_category_preferences_performance,
                context_consent_category_preferences_c0002
            )),
            case
                when array_has_any(allowed, make_array('analytics', 'performance', 'c0002'))
                    then true
                when array_has_any(denied, make_array('analytics', 'performance', 'c0002'))
                    then false
            end
        ) as allows_analytics,
        coalesce(
            to_boolean(first_text(
                context_consent_category_preferences_advertising,
                context_consent_category_preferences_marketing,
                context_consent_category_preferences_targeting,
                context_consent_category_preferences_c0004
            )),
            case
                when
                    array_has_any(
                        allowed, make_array('advertising', 'marketing', 'targeting', 'c0004')
                    )
                    then true
                when
                    array_has_any(
                        denied, make_array('advertising', 'marketing', 'targeting', 'c0004')
                    )
                    then false
            end
        ) as allows_ads
    from named
),

final as (
    select
        _raw_id,
        id as event_id,
        -- Corrected for the device's clock; data lakes call it _timestamp.
        stated("timestamp", _timestamp, original_timestamp, sent_at, received_at) as event_at,
        case when has_properties then _effective_at + interval '1 microsecond' end as effective_at,
        known_name as event_name,
        anonymous_id,
        text_if(not is_email, user_id) as user_id,
        first_text(text_if(is_email, user_id), email, context_traits_email) as email,
        first_text(phone, context_traits_phone) as phone,
        -- RudderStack numbers sessions; Segment has none, they are cut by the rule.
        context_session_id as session_id,
        context_page_url as page_url,
        context_page_title as page_title,
        referrer_url,
        context_campaign_source as utm_source,
        context_campaign_medium as utm_medium,
        context_campaign_name as utm_campaign,
        context_campaign_term as utm_term,
        context_campaign_content as utm_content,
        context_campaign_id as utm_id,
        url_param(context_page_url, 'gclid') as gclid,
        stated(order_id, transaction_id) as order_id,
        -- `total` is with tax and shipping. `revenue` and `subtotal` are without, so that neither
        -- is within the amount.
        text_if(known_name = 'purchase', total, revenue, subtotal, value) as revenue_amount,
        text_if(known_name = 'purchase' and total is not null, tax) as tax_amount,
        text_if(known_name = 'purchase' and total is not null, shipping) as shipping_amount,
        currency as currency_code,
        nullif(products, '[]') as items,
        case
            when regexp_like(context_user_agent, 'iPad|Tablet') then 'tablet'
            when context_device_model like 'iPad%' then 'tablet'
            when regexp_like(context_user_agent, 'Mobi|iPhone|iPod') then 'mobile'
            when lower(context_device_type) in ('ios', 'android') then 'mobile'
            when to_boolean(context_user_agent_data_mobile) then 'mobile'
            when context_user_agent like '%Android%' then 'tablet'
            when context_user_agent like 'Mozilla/%' then 'desktop'
        end as device_category,
        context_device_manufacturer as device_brand,
        stated(context_os_name, context_user_agent_data_platform) as operating_system,
        context_locale as language,
        context_user_agent as user_agent,
        context_location_country as country,
        context_location_region as region,
        context_location_city as city,
        case
            when lower(stated(context_device_type, context_os_name)) in ('ios', 'ipados')
                then 'IOS'
            when lower(stated(context_device_type, context_os_name)) = 'android' then 'ANDROID'
            when channel in ('web', 'browser') or context_page_url is not null then 'WEB'
        end as platform,
        context_source_id as stream_id,
        case
            when allows_analytics then 'granted' when not allows_analytics then 'denied'
        end as consent_analytics,
        case when allows_ads then 'granted' when not allows_ads then 'denied' end as consent_ads,
        -- IP address, traits and the fields of your own stay in raw: they may hold anything.
        context_app_name as app_name,
        context_app_version as app_version,
        context_library_name as library_name,
        context_group_id as group_id,
        channel,
        event_text,
        text_if(known_name not in ('purchase', 'refund'), value, revenue, total) as event_value,
        text_if(known_name = 'refund', total, revenue, value) as refund_value,
        checkout_id,
        affiliation,
        discount,
        coupon,
        cart_id,
        product_id,
        sku,
        -- The name of a product or promotion; that of a person is no business of silver.
        text_if(coalesce(product_id, sku, promotion_id) is not null, name) as item_name,
        category,
        brand,
        variant,
        price,
        quantity,
        list_id,
        promotion_id,
        query as search_term,
        method,
        plan
    from asked
)

select * from final
