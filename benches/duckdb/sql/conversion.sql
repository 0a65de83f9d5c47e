-- One sale is one conversion, however many systems record it; other conversions of the web are
-- one of a kind in a session; every contact was made once.
with sale as (
    select
        conversion_id,
        case when bool_or(record_type in ('order', 'web')) then 'purchase' else 'deal_won' end
            as conversion_type,
        coalesce(
            min(recorded_at) filter (record_type = 'order'),
            min(recorded_at) filter (record_type = 'web'),
            min(recorded_at)
        ) as conversion_at,
        coalesce(
            max(identity_node) filter (record_type = 'order' and identity_node <> 0),
            max(identity_node) filter (record_type = 'deal' and identity_node <> 0),
            max(identity_node) filter (record_type = 'web' and place = 1),
            max(identity_node) filter (record_type = 'web'),
            0
        ) as identity_node,
        min(session_key) as session_key,
        min(order_id) as order_id,
        min(deal_id) as deal_id,
        min(record_type) filter (is_of_record) as source_of_record,
        min(currency_code) filter (is_of_record) as currency_code,
        sum(gross_amount) filter (is_of_record) as gross_amount,
        sum(net_amount) filter (is_of_record) as revenue_amount,
        max(item_quantity) as item_quantity,
        count(*) as evidence_count
    from sale_record
    where is_valid
    group by conversion_id
),

web as (
    from web_conversion
    where event_type not in ('purchase', 'in_app_purchase', 'ecommerce_purchase')
    qualify row_number() over (
        partition by event_type, coalesce(session_key, event_id) order by event_at, event_id
    ) = 1
),

made_contact as (
    select contact_id, min(created_at) as created_at
    from contact
    where created_at is not null
    group by contact_id
    having not arg_max(is_deleted, effective_at)
),

conversion as (
    select
        conversion_id, conversion_type, true as is_sale, conversion_at, identity_node, session_key,
        order_id, deal_id, source_of_record, gross_amount, revenue_amount, currency_code,
        item_quantity, evidence_count
    from sale
    union all
    select
        hash(event_type, coalesce(session_key, event_id)), event_type, false, event_at,
        identity_node, session_key, null, null, 'web', 0, 0, 'USD', null, 1
    from web
    union all
    select
        hash('crm_contact', contact_id), 'crm_contact', false, created_at,
        coalesce(node(2, contact_id), 0), null, null, null, 'contact', 0, 0, 'USD', null, 1
    from made_contact
)

select
    conversion.* replace (
        gross_amount::decimal(18, 6) as gross_amount,
        revenue_amount::decimal(18, 6) as revenue_amount
    ),
    conversion_at::date as event_date,
    coalesce(bridge.customer, 0) as customer,
    rate.exchange_rate,
    reporting(revenue_amount, rate.exchange_rate) as revenue_reporting_amount,
    coalesce(bridge.customer, 0) <> 0 and row_number() over (
        partition by coalesce(bridge.customer, 0), conversion_type
        order by conversion_at, conversion_id
    ) = 1 as is_first_conversion,
    coalesce(bridge.customer, 0) <> 0 and is_sale and row_number() over (
        partition by coalesce(bridge.customer, 0), is_sale order by conversion_at, conversion_id
    ) = 1 as is_new_customer
from conversion
left join bridge on conversion.identity_node = bridge.node
left join exchange_rate as rate
    on
        conversion.currency_code = rate.currency_code
        and conversion.conversion_at::date = rate.rate_date
