-- grain: one row per version of a Shopify order
{{ config(entity='order') }}

with orders as (
    select
        _raw_id,
        from_json(payload, 'struct<
            id: text,
            name: text,
            order_number: text,
            created_at: text,
            processed_at: text,
            cancelled_at: text,
            cancel_reason: text,
            closed_at: text,
            test: text,
            financial_status: text,
            fulfillment_status: text,
            currency: text,
            presentment_currency: text,
            total_price: text,
            total_discounts: text,
            total_tax: text,
            total_tip_received: text,
            taxes_included: text,
            total_shipping_price_set: struct<shop_money: struct<amount: text>>,
            shipping_lines: list<struct<price: text>>,
            discount_codes: list<struct<code: text>>,
            line_items: list<struct<quantity: text>>,
            note_attributes: list<struct<name: text, value: text>>,
            email: text,
            contact_email: text,
            phone: text,
            customer: struct<id: text, email: text, phone: text>,
            shipping_address: struct<
                country_code: text, country: text, province: text, city: text, phone: text
            >,
            billing_address: struct<
                country_code: text, country: text, province: text, city: text, phone: text
            >,
            company: struct<id: text>,
            landing_site: text,
            referring_site: text,
            source_name: text,
            gateway: text,
            tags: text
        >') as shop_order
    from {{ source('shopify', 'orders') }}
),

-- The lists of an order side by side, one entry of each in a row; the null at the end keeps an
-- order whose lists are empty.
order_entries as (
    select
        _raw_id,
        unnest(array_append(shop_order['line_items'], null)) as line_item,
        unnest(array_append(shop_order['shipping_lines'], null)) as shipping_line,
        unnest(array_append(shop_order['discount_codes'], null)) as discount_code,
        unnest(array_append(shop_order['note_attributes'], null)) as note_attribute
    from orders
),

-- Note attributes are where a theme or an app keeps what the web tracker knew at the checkout.
order_details as (
    select
        _raw_id,
        sum(try_cast(line_item['quantity'] as bigint)) as item_quantity,
        sum(to_amount(shipping_line['price'])) as shipping_amount,
        nullif(string_agg(discount_code['code'], ',' order by discount_code['code']), '') as coupon,
        max(
            case
                when
                    lower(note_attribute['name']) in (
                        'ga_client_id', 'client_id', 'google_client_id', 'user_pseudo_id',
                        'anonymous_id', '_ga', 'ga'
                    )
                    then regexp_replace(note_attribute['value'], '^GA[0-9]+[.][0-9]+[.]', '')
            end
        ) as anonymous_id,
        max(
            case
                when lower(note_attribute['name']) in ('ga_session_id', 'session_id')
                    then note_attribute['value']
            end
        ) as session_id,
        max(
            case when lower(note_attribute['name']) = 'user_id' then note_attribute['value'] end
        ) as user_id,
        max(
            case when lower(note_attribute['name']) = 'gclid' then note_attribute['value'] end
        ) as gclid
    from order_entries
    group by _raw_id
),

final as (
    select
        orders._raw_id,
        shop_order['id'] as order_id,
        -- `#1001` on paper is 1001 in a web tracker or a CRM.
        coalesce(regexp_replace(shop_order['name'], '^#', ''), shop_order['order_number'])
            as order_number,
        coalesce(shop_order['created_at'], shop_order['processed_at']) as ordered_at,
        shop_order['customer']['id'] as buyer_id,
        order_details.user_id,
        coalesce(
            nullif(shop_order['email'], ''),
            nullif(shop_order['contact_email'], ''),
            nullif(shop_order['customer']['email'], '')
        ) as email,
        coalesce(
            nullif(shop_order['phone'], ''),
            nullif(shop_order['customer']['phone'], ''),
            nullif(shop_order['billing_address']['phone'], ''),
            nullif(shop_order['shipping_address']['phone'], '')
        ) as phone,
        order_details.anonymous_id,
        order_details.session_id,
        shop_order['company']['id'] as account_id,
        shop_order['financial_status'] as status,
        coalesce(nullif(shop_order['cancelled_at'], ''), '') <> ''
        or coalesce(shop_order['financial_status'], '') = 'voided' as is_cancelled,
        shop_order['test'] as is_test,
        shop_order['total_price'] as gross_amount,
        shop_order['total_discounts'] as discount_amount,
        shop_order['total_tax'] as tax_amount,
        coalesce(
            shop_order['total_shipping_price_set']['shop_money']['amount'],
            cast(order_details.shipping_amount as text)
        ) as shipping_amount,
        shop_order['currency'] as currency_code,
        order_details.item_quantity,
        order_details.coupon,
        coalesce(
            shop_order['shipping_address']['country_code'],
            shop_order['shipping_address']['country'],
            shop_order['billing_address']['country_code'],
            shop_order['billing_address']['country']
        ) as country,
        coalesce(
            shop_order['shipping_address']['province'], shop_order['billing_address']['province']
        ) as region,
        coalesce(
            shop_order['shipping_address']['city'], shop_order['billing_address']['city']
        ) as city,
        nullif(shop_order['landing_site'], '') as landing_url,
        nullif(shop_order['referring_site'], '') as referrer_url,
        shop_order['order_number'] as shop_order_number,
        shop_order['cancelled_at'] as cancelled_at,
        shop_order['cancel_reason'] as cancel_reason,
        shop_order['fulfillment_status'] as fulfillment_status,
        shop_order['presentment_currency'] as presentment_currency_code,
        shop_order['total_tip_received'] as tip_amount,
        shop_order['taxes_included'] as is_tax_included,
        shop_order['source_name'] as sales_channel,
        shop_order['gateway'] as payment_gateway,
        shop_order['tags'] as tags,
        order_details.gclid
    from orders
    inner join order_details on orders._raw_id = order_details._raw_id
)

select * from final
