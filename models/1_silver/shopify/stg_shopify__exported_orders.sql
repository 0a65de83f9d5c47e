-- grain: one row per order of the CSV of Shopify's page of orders
-- The CSV has a line for each product; what is said of the order stands on its first one.
{{ config(entity='order', rows='some') }}

with orders as (
    select
        *,
        -- Counted over all lines of the order, in the file they stand in.
        sum(try_cast(lineitem_quantity as bigint)) over (partition by _file_id, name)
            as item_quantity
    from {{ source('shopify', 'orders_export') }}
),

final as (
    select
        _raw_id,
        coalesce(id, regexp_replace(name, '^#', '')) as order_id,
        regexp_replace(name, '^#', '') as order_number,
        created_at as ordered_at,
        email,
        coalesce(phone, billing_phone, shipping_phone) as phone,
        {{ shopify_device(shopify_noted('note_attributes', [
            'ga_client_id', 'client_id', 'google_client_id', 'user_pseudo_id', 'anonymous_id',
            '_ga', 'ga'
        ])) }} as anonymous_id,
        {{ shopify_noted('note_attributes', ['ga_session_id', 'session_id']) }} as session_id,
        {{ shopify_noted('note_attributes', ['user_id']) }} as user_id,
        lower(financial_status) as status,
        cancelled_at is not null or lower(coalesce(financial_status, '')) = 'voided'
            as is_cancelled,
        total as gross_amount,
        discount_amount,
        taxes as tax_amount,
        shipping as shipping_amount,
        currency as currency_code,
        item_quantity,
        discount_code as coupon,
        coalesce(shipping_country, billing_country) as country,
        coalesce(
            shipping_province_name, shipping_province, billing_province_name, billing_province
        ) as region,
        coalesce(shipping_city, billing_city) as city,
        cancelled_at,
        lower(fulfillment_status) as fulfillment_status,
        source as sales_channel,
        payment_method as payment_gateway,
        tags,
        {{ shopify_noted('note_attributes', ['gclid']) }} as gclid,
        refunded_amount
    from orders
    where total is not null
)

select * from final
