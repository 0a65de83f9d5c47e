-- grain: one row per track call, every delivery of it
{{ config(entity='web_event') }}

with tracks as (
    select * from {{ source('segment', 'tracks') }}
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
        {{ segment_listed_consents() }}
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

{{ segment_consents('named') }},

final as (
    select
        _raw_id,
        id as event_id,
        {{ segment_event_at() }} as event_at,
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
        {{ segment_campaign() }},
        url_param(context_page_url, 'gclid') as gclid,
        stated(order_id, transaction_id) as order_id,
        -- `total` is with tax and shipping. `revenue` and `subtotal` are without, so that neither
        -- is within the amount.
        text_if(known_name = 'purchase', total, revenue, subtotal, value) as revenue_amount,
        text_if(known_name = 'purchase' and total is not null, tax) as tax_amount,
        text_if(known_name = 'purchase' and total is not null, shipping) as shipping_amount,
        currency as currency_code,
        nullif(products, '[]') as items,
        {{ segment_device() }},
        case
            when lower(stated(context_device_type, context_os_name)) in ('ios', 'ipados')
                then 'IOS'
            when lower(stated(context_device_type, context_os_name)) = 'android' then 'ANDROID'
            when channel in ('web', 'browser') or context_page_url is not null then 'WEB'
        end as platform,
        {{ segment_app() }},
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
