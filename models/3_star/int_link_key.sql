-- grain: one row per record, join key and value of that key that the record carries
{{ config(materialized='table') }}

with click_parameter as (
    select parameter from {{ ref('click_id') }}
),

contact as (
    select * from {{ entity('contact') }}
),

lead as (
    select * from {{ entity('lead') }}
),

shop_order as (
    select * from {{ entity('order') }}
),

deal as (
    select * from {{ entity('deal') }}
),

invoice as (
    select * from {{ entity('invoice') }}
),

-- All versions count, as they do for identity.
carried as (
    select
        'contact' as record_type,
        contact_id as record_id,
        unnest(make_array(
            named_struct('join_key', 'client_id', 'value', client_id),
            named_struct('join_key', 'tracking_cookie', 'value', tracking_cookie),
            named_struct('join_key', 'gclid', 'value', gclid),
            named_struct('join_key', 'user_id', 'value', user_id),
            named_struct('join_key', 'email', 'value', email_hash),
            named_struct('join_key', 'phone', 'value', phone_hash)
        )) as item
    from contact

    union all

    select
        'lead' as record_type,
        lead_id as record_id,
        unnest(make_array(
            named_struct('join_key', 'client_id', 'value', client_id),
            named_struct('join_key', 'gclid', 'value', gclid),
            named_struct('join_key', 'email', 'value', email_hash),
            named_struct('join_key', 'phone', 'value', phone_hash)
        )) as item
    from lead

    union all

    select
        'order' as record_type,
        order_id as record_id,
        unnest(make_array(
            named_struct('join_key', 'transaction_id', 'value', coalesce(
                {{ order_reference('order_number') }}, {{ bare_id('order_id') }}
            )),
            -- The shop's own id too: some trackers send that.
            named_struct('join_key', 'transaction_id', 'value', {{ bare_id('order_id') }}),
            named_struct('join_key', 'client_id', 'value', anonymous_id),
            named_struct('join_key', 'user_id', 'value', user_id),
            named_struct('join_key', 'email', 'value', email_hash),
            named_struct('join_key', 'phone', 'value', phone_hash)
        )) as item
    from shop_order

    union all

    select
        'deal' as record_type,
        deal_id as record_id,
        unnest(make_array(
            named_struct('join_key', 'order_number', 'value', {{ order_reference('order_id') }}),
            named_struct(
                'join_key', 'invoice_number', 'value', {{ order_reference('invoice_id') }}
            )
        )) as item
    from deal

    union all

    select
        'invoice' as record_type,
        invoice_id as record_id,
        unnest(make_array(
            named_struct(
                'join_key', 'order_number', 'value', {{ order_reference('order_number') }}
            ),
            named_struct('join_key', 'deal_id', 'value', deal_id),
            named_struct('join_key', 'email', 'value', email_hash)
        )) as item
    from invoice

    union all

    select
        'web' as record_type,
        cast(event_id as text) as record_id,
        named_struct('join_key', 'transaction_id', 'value', order_reference) as item
    from {{ ref('int_web_conversion') }}

    union all

    select
        'recipient' as record_type,
        concat(source_name, ':', email_hash) as record_id,
        named_struct('join_key', 'email', 'value', email_hash) as item
    from {{ entity('email_event') }}

    union all

    -- Click ids that an entity has no column for are kept as properties.
    select
        'contact' as record_type,
        contact.contact_id as record_id,
        named_struct(
            'join_key', click_parameter.parameter,
            'value', json_text(contact.properties, click_parameter.parameter)
        ) as item
    from contact
    cross join click_parameter
    where strpos(contact.properties, click_parameter.parameter) > 0

    union all

    select
        'lead' as record_type,
        lead.lead_id as record_id,
        named_struct(
            'join_key', click_parameter.parameter,
            'value', json_text(lead.properties, click_parameter.parameter)
        ) as item
    from lead
    cross join click_parameter
    where strpos(lead.properties, click_parameter.parameter) > 0

    union all

    -- A shop keeps the landing page of the order, and the click id in it.
    select
        'order' as record_type,
        shop_order.order_id as record_id,
        named_struct(
            'join_key', click_parameter.parameter,
            'value', url_param(shop_order.landing_url, click_parameter.parameter)
        ) as item
    from shop_order
    cross join click_parameter
    where strpos(shop_order.landing_url, click_parameter.parameter) > 0
),

flat as (
    select
        record_type,
        record_id,
        item['join_key'] as join_key,
        nullif(btrim(item['value']), '') as value
    from carried
),

distinct_value as (
    select record_type, record_id, join_key, value
    from flat
    where value is not null
    group by record_type, record_id, join_key, value
),

final as (
    select
        record_type,
        record_id,
        join_key,
        value,
        {{ loose_value('join_key', 'value') }} as loose_value,
        {{ node_type_of('join_key') }} as node_type,
        durable_key('node', {{ node_type_of('join_key') }}, value) as node_key,
        not is_blocked_identifier({{ node_type_of('join_key') }}, value) as is_usable
    from distinct_value
)

select * from final
