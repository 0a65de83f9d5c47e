-- grain: one row per conversion; a sale is one, however many systems record it
{{ config(
    materialized='table',
    sort=['event_date', 'customer_key'],
    bloom=['conversion_id', 'customer_key']
) }}

{%- set reporting = project.reporting.currency %}

with sale_record as (
    select * from {{ ref('int_sale_record') }}
    where is_valid
),

-- Its money is that of the strongest record (invoice, order, deal, web). Its time is when the
-- customer bought: an invoice may be written weeks later.
sale as (
    select
        conversion_id,
        case
            when bool_or(record_type in ('order', 'web')) then 'purchase'
            when bool_or(record_type = 'deal') then 'deal_won'
            else 'purchase'
        end as conversion_type,
        coalesce(
            min(case when record_type = 'order' then recorded_at end),
            min(case when record_type = 'web' then recorded_at end),
            min(case when record_type = 'deal' then recorded_at end),
            min(recorded_at)
        ) as conversion_at,
        coalesce(
            max(case
                when record_type = 'order' and identity_node_id <> 0 then identity_node_id
            end),
            max(case when record_type = 'deal' and identity_node_id <> 0 then identity_node_id end),
            max(case
                when record_type = 'invoice' and identity_node_id <> 0 then identity_node_id
            end),
            max(case when record_type = 'web' and place = 1 then identity_node_id end),
            max(case when record_type = 'web' then identity_node_id end),
            0
        ) as identity_node_id,
        min(session_id) as session_id,
        max(case when account_key <> 0 then account_key end) as account_key,
        min(order_id) as order_id,
        min(deal_id) as deal_id,
        min(case when is_of_record then record_type end) as record_type,
        min(case when is_of_record then source_name end) as source_name,
        min(case when is_of_record then currency_code end) as currency_code,
        sum(case when is_of_record then gross_amount else 0 end) as gross_amount,
        sum(case when is_of_record then net_amount else 0 end) as revenue_amount,
        max(item_quantity) as item_quantity,
        count(*) as evidence_count
    from sale_record
    group by conversion_id
),

-- The other conversions of the web: one of a kind per session, however often it fired.
web_event as (
    select
        *,
        row_number() over (
            partition by event_type, coalesce(session_id, event_id) order by event_at, event_id
        ) as place,
        count(*) over (partition by event_type, coalesce(session_id, event_id)) as evidence_count
    from {{ ref('int_web_conversion') }}
    where event_type not in ({{ purchase_event_names() }})
),
{%- for record in ['contact', 'lead'] %}

{{ record }} as (
    select
        {{ record }}_id,
        min(created_at) as created_at,
        min(source_name) as source_name,
        max(account_id) as account_id
    from (
        select
            {{ record }}_id, created_at, source_name, account_id,
            last_value(is_deleted) ignore nulls over (
                partition by {{ record }}_id order by effective_at
                rows between unbounded preceding and unbounded following
            ) as is_deleted
        from {{ entity(record) }}
    )
    where created_at is not null and not coalesce(is_deleted, false)
    group by {{ record }}_id
),
{%- endfor %}

conversion as (
    select
        conversion_id,
        conversion_type,
        true as is_sale,
        conversion_at,
        identity_node_id,
        session_id,
        coalesce(account_key, -1) as account_key,
        coalesce(durable_key('order', order_id), -1) as order_key,
        coalesce(durable_key('deal', deal_id), -1) as deal_key,
        deal_id,
        record_type,
        source_name,
        cast(gross_amount as decimal(18, 6)) as gross_amount,
        cast(revenue_amount as decimal(18, 6)) as revenue_amount,
        currency_code,
        item_quantity,
        evidence_count
    from sale

    union all

    select
        durable_key('conversion', event_type, cast(coalesce(session_id, event_id) as text))
            as conversion_id,
        event_type as conversion_type,
        false as is_sale,
        event_at as conversion_at,
        identity_node_id,
        session_id,
        cast(-1 as bigint) as account_key,
        cast(-1 as bigint) as order_key,
        cast(-1 as bigint) as deal_key,
        cast(null as text) as deal_id,
        'web' as record_type,
        source_name,
        cast(0 as decimal(18, 6)) as gross_amount,
        cast(0 as decimal(18, 6)) as revenue_amount,
        '{{ reporting }}' as currency_code,
        cast(null as bigint) as item_quantity,
        evidence_count
    from web_event
    where place = 1

    union all

    select
        durable_key('conversion', 'crm_contact', contact_id) as conversion_id,
        'crm_contact' as conversion_type,
        false as is_sale,
        created_at as conversion_at,
        coalesce({{ node_key('contact', 'contact_id') }}, 0) as identity_node_id,
        cast(null as bigint) as session_id,
        {{ member_key('account', 'account_id') }} as account_key,
        cast(-1 as bigint) as order_key,
        cast(-1 as bigint) as deal_key,
        cast(null as text) as deal_id,
        'contact' as record_type,
        source_name,
        cast(0 as decimal(18, 6)) as gross_amount,
        cast(0 as decimal(18, 6)) as revenue_amount,
        '{{ reporting }}' as currency_code,
        cast(null as bigint) as item_quantity,
        cast(1 as bigint) as evidence_count
    from contact

    union all

    select
        durable_key('conversion', 'crm_lead', lead_id) as conversion_id,
        'crm_lead' as conversion_type,
        false as is_sale,
        created_at as conversion_at,
        coalesce({{ node_key('lead', 'lead_id') }}, 0) as identity_node_id,
        cast(null as bigint) as session_id,
        {{ member_key('account', 'account_id') }} as account_key,
        cast(-1 as bigint) as order_key,
        cast(-1 as bigint) as deal_key,
        cast(null as text) as deal_id,
        'lead' as record_type,
        source_name,
        cast(0 as decimal(18, 6)) as gross_amount,
        cast(0 as decimal(18, 6)) as revenue_amount,
        '{{ reporting }}' as currency_code,
        cast(null as bigint) as item_quantity,
        cast(1 as bigint) as evidence_count
    from lead
),

bridge as (
    select identity_node_id, customer_key, valid_from, valid_to from {{ ref('bridge_identity') }}
),

exchange_rate as (
    select rate_date, currency_code, exchange_rate, exchange_rate_date
    from {{ ref('int_exchange_rate_day') }}
),

with_customer as (
    select
        conversion.*,
        coalesce(bridge.customer_key, 0) as customer_key,
        {{ rate_and_date('conversion.currency_code', 'cast(conversion.conversion_at as date)') }}
    from conversion
    left join bridge
        on
            conversion.identity_node_id = bridge.identity_node_id
            and conversion.conversion_at >= bridge.valid_from
            and conversion.conversion_at < bridge.valid_to
    left join exchange_rate
        on
            conversion.currency_code = exchange_rate.currency_code
            and cast(conversion.conversion_at as date) = exchange_rate.rate_date
),

numbered as (
    select
        *,
        row_number() over (
            partition by customer_key, conversion_type order by conversion_at, conversion_id
        ) as number_of_type,
        row_number() over (
            partition by customer_key, is_sale order by conversion_at, conversion_id
        ) as number_of_sale
    from with_customer
),

final as (
    select
        conversion_id,
        cast(conversion_at as date) as event_date,
        {{ reporting_date('conversion_at') }} as reporting_date,
        conversion_at,
        conversion_type,
        durable_key('conversion_type', conversion_type) as conversion_type_key,
        customer_key,
        identity_node_id,
        session_id,
        account_key,
        order_key,
        deal_key,
        record_type as source_of_record,
        source_name,
        deal_id,
        gross_amount,
        revenue_amount,
        currency_code,
        exchange_rate,
        exchange_rate_date,
        {{ reporting_amount('revenue_amount', 'exchange_rate') }} as revenue_reporting_amount,
        item_quantity,
        cast(evidence_count as bigint) as evidence_count,
        is_sale,
        customer_key <> 0 and number_of_type = 1 as is_first_conversion,
        customer_key <> 0 and is_sale and number_of_sale = 1 as is_new_customer,
        revenue_amount <> 0 and exchange_rate is null as is_partial
    from numbered
)

select * from final
