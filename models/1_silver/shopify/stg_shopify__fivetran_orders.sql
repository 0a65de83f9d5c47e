-- grain: one row per version of a Shopify order, as Fivetran lands it
{{ config(entity='order') }}
{%- set streams = project.sources[source_name].streams %}

with orders as (
    select * from {{ source('shopify', 'order') }}
),

-- Tables beside the order, each once per order.
{%- if 'order_line' in streams %}
order_lines as (
    select
        order_id,
        sum(try_cast(quantity as bigint)) as item_quantity
    from (
        select
            order_id,
            quantity,
            row_number() over (
                partition by id order by _fivetran_synced desc nulls last, _raw_id desc
            ) as place
        from {{ source('shopify', 'order_line') }}
    )
    where place = 1
    group by order_id
),
{%- endif %}
{%- if 'order_discount_code' in streams %}

discount_codes as (
    select
        order_id,
        string_agg(distinct code, ',' order by code) as coupon
    from {{ source('shopify', 'order_discount_code') }}
    group by order_id
),
{%- endif %}
{%- if 'order_shipping_line' in streams %}

shipping_lines as (
    select
        order_id,
        sum(to_amount(coalesce(
            discounted_price,
            discounted_price_set_shop_amount,
            price,
            original_price_set_shop_amount
        ))) as shipping_amount
    from (
        select
            *,
            row_number() over (
                partition by id order by _fivetran_synced desc nulls last, _raw_id desc
            ) as place
        from {{ source('shopify', 'order_shipping_line') }}
    )
    where place = 1
    group by order_id
),
{%- endif %}

-- Notes are where a theme or an app keeps what the web tracker knew at the checkout. Values may be
-- written as JSON texts.
{%- set notes = ['order_note_attribute', 'order_custom_attribute'] | select('in', streams) | list %}
{%- if notes %}
notes as (
    {%- for stream in notes %}
    select
        order_id,
        lower({{ 'name' if stream == 'order_note_attribute' else 'coalesce(key, name)' }}) as name,
        nullif(trim(both '"' from value), '') as value
    from {{ source('shopify', stream) }}
    {{- '' if loop.last else '\n    union all' }}
    {%- endfor %}
),

order_notes as (
    select
        order_id,
        max(case when name in ({{ shopify_device_names() }}) then value end) as anonymous_id,
        max(case when name in ('ga_session_id', 'session_id') then value end) as session_id,
        max(case when name = 'user_id' then value end) as user_id,
        max(case when name = 'gclid' then value end) as gclid
    from notes
    group by order_id
),
{%- endif %}

final as (
    select
        orders._raw_id,
        orders.id as order_id,
        -- `#1001` on paper is 1001 in a web tracker or a CRM.
        coalesce(regexp_replace(orders.name, '^#', ''), orders.order_number, orders.number)
            as order_number,
        coalesce(orders.created_at, orders.processed_at) as ordered_at,
        orders.customer_id as buyer_id,
        orders.email,
        coalesce(orders.billing_address_phone, orders.shipping_address_phone) as phone,
        {%- if notes %}
        {{ shopify_device('order_notes.anonymous_id') }} as anonymous_id,
        order_notes.session_id,
        order_notes.user_id,
        order_notes.gclid,
        {%- endif %}
        lower(coalesce(orders.financial_status, orders.display_financial_status)) as status,
        orders.cancelled_at is not null
        or lower(coalesce(orders.financial_status, orders.display_financial_status, ''))
        = 'voided'
        or lower(coalesce(orders._fivetran_deleted, 'false')) in ('true', '1', 't', 'yes')
            as is_cancelled,
        orders.test as is_test,
        coalesce(orders.total_price, orders.total_price_set_shop_amount) as gross_amount,
        coalesce(orders.total_discounts, orders.total_discounts_set_shop_amount)
            as discount_amount,
        coalesce(orders.total_tax, orders.total_tax_set_shop_amount) as tax_amount,
        coalesce(
            orders.total_shipping_price_set_shop_amount,
            json_text(orders.total_shipping_price_set, 'shop_money.amount')
            {%- if 'order_shipping_line' in streams %},
            cast(shipping_lines.shipping_amount as text)
            {%- endif %}
        ) as shipping_amount,
        coalesce(
            orders.currency, orders.currency_code, orders.total_price_set_shop_currency_code
        ) as currency_code,
        {%- if 'order_line' in streams %}
        order_lines.item_quantity,
        {%- endif %}
        {%- if 'order_discount_code' in streams %}
        discount_codes.coupon,
        {%- endif %}
        coalesce(
            orders.shipping_address_country_code,
            orders.shipping_address_country,
            orders.billing_address_country_code,
            orders.billing_address_country
        ) as country,
        coalesce(orders.shipping_address_province, orders.billing_address_province) as region,
        coalesce(orders.shipping_address_city, orders.billing_address_city) as city,
        orders.landing_site_base_url as landing_url,
        orders.referring_site as referrer_url,
        orders.order_number as shop_order_number,
        orders.cancelled_at,
        orders.cancel_reason,
        lower(coalesce(orders.fulfillment_status, orders.display_fulfillment_status))
            as fulfillment_status,
        coalesce(orders.presentment_currency, orders.presentment_currency_code)
            as presentment_currency_code,
        coalesce(orders.total_tip_received, orders.total_tip_received_set_shop_amount)
            as tip_amount,
        orders.taxes_included as is_tax_included,
        -- Shopify's own word for the sales channel; every row of ours has a source_name too.
        orders.source_name as sales_channel
    from orders
    {%- if 'order_line' in streams %}
    left join order_lines on orders.id = order_lines.order_id
    {%- endif %}
    {%- if 'order_discount_code' in streams %}
    left join discount_codes on orders.id = discount_codes.order_id
    {%- endif %}
    {%- if 'order_shipping_line' in streams %}
    left join shipping_lines on orders.id = shipping_lines.order_id
    {%- endif %}
    {%- if notes %}
    left join order_notes on orders.id = order_notes.order_id
    {%- endif %}
)

select * from final
