-- grain: one row per shop order, cancelled and test orders included
{{ config(materialized='table', sort=['event_date', 'order_key'], bloom='order_key') }}

{%- set reporting = project.reporting.currency %}

with shop_order as (
    select
        *,
        upper(coalesce(currency_code, '{{ reporting }}')) as order_currency_code
    from {{ entity('order') }}
),

exchange_rate as (
    select rate_date, currency_code, exchange_rate, exchange_rate_date
    from {{ ref('int_exchange_rate_day') }}
),

with_rate as (
    select
        shop_order.*,
        {{ rate_and_date(
            'shop_order.order_currency_code', 'cast(shop_order.ordered_at as date)'
        ) }},
        cast({{ net_revenue('gross_amount', 'tax_amount', 'shipping_amount') }} as decimal(18, 6))
            as net_amount
    from shop_order
    left join exchange_rate
        on
            shop_order.order_currency_code = exchange_rate.currency_code
            and cast(shop_order.ordered_at as date) = exchange_rate.rate_date
),

final as (
    select
        durable_key('order', order_id) as order_key,
        order_id,
        coalesce({{ order_reference('order_number') }}, {{ bare_id('order_id') }}) as order_number,
        cast(ordered_at as date) as event_date,
        {{ reporting_date('ordered_at') }} as reporting_date,
        ordered_at,
        coalesce(
            {{ node_key('user', 'user_id') }},
            {{ node_key('buyer', 'buyer_id') }},
            {{ node_key('email', 'email_hash') }},
            {{ node_key('phone', 'phone_hash') }},
            {{ node_key('order', order_reference('order_number')) }},
            {{ node_key('order', bare_id('order_id')) }},
            0
        ) as identity_node_id,
        coalesce({{ node_key('device', 'anonymous_id') }}, 0) as anonymous_node_id,
        {{ member_key('account', 'account_id') }} as account_key,
        {{ geo_key('country', 'region', 'city') }} as geo_key,
        source_name,
        status,
        coupon,
        item_quantity,
        gross_amount,
        discount_amount,
        tax_amount,
        shipping_amount,
        net_amount,
        order_currency_code as currency_code,
        exchange_rate,
        exchange_rate_date,
        {{ reporting_amount('gross_amount', 'exchange_rate') }} as gross_reporting_amount,
        {{ reporting_amount('net_amount', 'exchange_rate') }} as net_reporting_amount,
        coalesce(is_cancelled, false) as is_cancelled,
        coalesce(is_test, false) as is_test
    from with_rate
)

select * from final
