-- grain: one row per refund, on its own date
{{ config(materialized='table', sort=['event_date']) }}

{%- set reporting = project.reporting.currency %}

with refund as (
    select * from {{ entity('refund') }}
),

shop_order as (
    select order_id, order_key, currency_code, identity_node_id, is_cancelled, is_test
    from {{ ref('fct_order') }}
),

-- The conversion that the order, or the invoice, is evidence of: what the refund takes back. Where
-- a shop records the sale, its own refunds count, and not those of the till as well.
evidence_of_sale as (
    select
        evidence_id,
        conversion_id,
        evidence_type,
        identity_node_id,
        bool_or(evidence_type = 'order') over (partition by conversion_id) as has_order,
        row_number() over (
            partition by evidence_id order by evidence_type = 'order' desc, conversion_id
        ) as place
    from {{ ref('fct_conversion_evidence') }}
    where evidence_type in ('order', 'invoice') and is_valid
),

conversion_evidence as (
    select evidence_id, conversion_id, identity_node_id
    from evidence_of_sale
    where place = 1 and (evidence_type = 'order' or not has_order)
),

exchange_rate as (
    select rate_date, currency_code, exchange_rate, exchange_rate_date
    from {{ ref('int_exchange_rate_day') }}
),

with_order as (
    select
        refund.*,
        coalesce(shop_order.order_key, 0) as order_key,
        coalesce(shop_order.identity_node_id, 0) as identity_node_id,
        coalesce(shop_order.is_cancelled, false) as is_order_cancelled,
        coalesce(shop_order.is_test, false) as is_test,
        upper(coalesce(refund.currency_code, shop_order.currency_code, '{{ reporting }}'))
            as refund_currency_code
    from refund
    left join shop_order on refund.order_id = shop_order.order_id
),

with_rate as (
    select
        with_order.*,
        {{ rate_and_date(
            'with_order.refund_currency_code', 'cast(with_order.refunded_at as date)'
        ) }}
    from with_order
    left join exchange_rate
        on
            with_order.refund_currency_code = exchange_rate.currency_code
            and cast(with_order.refunded_at as date) = exchange_rate.rate_date
),

final as (
    select
        durable_key('refund', with_rate.refund_id) as refund_key,
        with_rate.order_key,
        conversion_evidence.conversion_id,
        coalesce(
            nullif(with_rate.identity_node_id, 0), conversion_evidence.identity_node_id, 0
        ) as identity_node_id,
        with_rate.refund_id,
        with_rate.order_id,
        with_rate.line_id,
        cast(with_rate.refunded_at as date) as event_date,
        {{ reporting_date('with_rate.refunded_at') }} as reporting_date,
        with_rate.refunded_at,
        with_rate.source_name,
        with_rate.reason,
        with_rate.refund_amount,
        with_rate.refund_currency_code as currency_code,
        with_rate.exchange_rate,
        with_rate.exchange_rate_date,
        {{ reporting_amount('with_rate.refund_amount', 'with_rate.exchange_rate') }}
            as refund_reporting_amount,
        -- Money given back for what never counted as revenue lowers none.
        conversion_evidence.conversion_id is not null as is_of_conversion,
        with_rate.is_order_cancelled,
        with_rate.is_test
    from with_rate
    left join conversion_evidence on with_rate.order_id = conversion_evidence.evidence_id
)

select * from final
