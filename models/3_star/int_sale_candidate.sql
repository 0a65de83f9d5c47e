-- grain: one row per record of a sale: invoice, shop order, won deal or web purchase
{{ config(materialized='table') }}

{%- set reporting = project.reporting.currency %}

-- What each system says of a sale, and by which numbers it names records elsewhere.
with shop_order as (
    select
        order_id, order_number, ordered_at, identity_node_id, account_key, source_name,
        gross_amount, net_amount, currency_code, item_quantity, is_cancelled, is_test
    from {{ ref('fct_order') }}
),

web_purchase as (
    select
        event_id, event_at, order_reference, session_id, identity_node_id, source_name,
        revenue_amount, tax_amount, shipping_amount, currency_code, item_quantity
    from {{ ref('int_web_conversion') }}
    where event_type in ({{ purchase_event_names() }})
),

won_deal as (
    select
        deal_id,
        closed_at,
        {{ order_reference('order_id') }} as order_reference,
        {{ order_reference('invoice_id') }} as invoice_reference,
        account_id,
        amount,
        currency_code,
        source_name
    from {{ ref('int_deal') }}
    where is_won and not is_deleted
),

-- The person of a deal: its primary contact, else the first, else the lead that became it.
deal_person as (
    select
        deal_id,
        identity_node_id,
        row_number() over (
            partition by deal_id order by is_primary desc, member_type, member_id
        ) as place
    from {{ ref('int_deal_party') }}
),

invoice as (
    select * from {{ entity('invoice') }}
),

final as (
    select
        'invoice' as record_type,
        -- One that states no tax is a payment: the order knows more.
        case when tax_amount is null then 'payment' else 'invoice' end as record_kind,
        invoice_id as record_id,
        invoiced_at as recorded_at,
        {{ order_reference('order_number') }} as order_reference,
        {{ order_reference('invoice_number') }} as invoice_reference,
        deal_id as deal_reference,
        {{ bare_id('invoice_id') }} as bare_record_id,
        coalesce(
            {{ node_key('buyer', 'buyer_id') }},
            {{ node_key('email', 'email_hash') }},
            0
        ) as identity_node_id,
        cast(null as bigint) as session_id,
        {{ member_key('account', 'account_id') }} as account_key,
        cast(null as text) as order_id,
        cast(null as text) as deal_id,
        source_name,
        gross_amount,
        cast({{ net_revenue('gross_amount', 'tax_amount', no_money()) }} as decimal(18, 6))
            as net_amount,
        upper(coalesce(currency_code, '{{ reporting }}')) as currency_code,
        cast(null as bigint) as item_quantity,
        not coalesce(is_void, false) as is_valid,
        case when is_void then 'void invoice' end as invalid_reason,
        cast(null as decimal(18, 6)) as stated_amount,
        cast(null as text) as stated_currency_code
    from invoice

    union all

    select
        'order' as record_type,
        'order' as record_kind,
        order_id as record_id,
        ordered_at as recorded_at,
        order_number as order_reference,
        cast(null as text) as invoice_reference,
        cast(null as text) as deal_reference,
        {{ bare_id('order_id') }} as bare_record_id,
        identity_node_id,
        cast(null as bigint) as session_id,
        account_key,
        order_id,
        cast(null as text) as deal_id,
        source_name,
        gross_amount,
        net_amount,
        currency_code,
        item_quantity,
        not is_cancelled and not is_test as is_valid,
        case
            when is_test then 'test order'
            when is_cancelled then 'cancelled order'
        end as invalid_reason,
        cast(null as decimal(18, 6)) as stated_amount,
        cast(null as text) as stated_currency_code
    from shop_order

    union all

    select
        'deal' as record_type,
        'deal' as record_kind,
        won_deal.deal_id as record_id,
        won_deal.closed_at as recorded_at,
        won_deal.order_reference,
        won_deal.invoice_reference,
        cast(null as text) as deal_reference,
        {{ bare_id('won_deal.deal_id') }} as bare_record_id,
        coalesce(deal_person.identity_node_id, 0) as identity_node_id,
        cast(null as bigint) as session_id,
        {{ member_key('account', 'won_deal.account_id') }} as account_key,
        cast(null as text) as order_id,
        won_deal.deal_id,
        won_deal.source_name,
        coalesce(won_deal.amount, {{ no_money() }}) as gross_amount,
        coalesce(won_deal.amount, {{ no_money() }}) as net_amount,
        upper(coalesce(won_deal.currency_code, '{{ reporting }}')) as currency_code,
        cast(null as bigint) as item_quantity,
        true as is_valid,
        cast(null as text) as invalid_reason,
        cast(null as decimal(18, 6)) as stated_amount,
        cast(null as text) as stated_currency_code
    from won_deal
    left join deal_person on won_deal.deal_id = deal_person.deal_id and deal_person.place = 1

    union all

    select
        'web' as record_type,
        'web' as record_kind,
        cast(event_id as text) as record_id,
        event_at as recorded_at,
        order_reference,
        cast(null as text) as invoice_reference,
        cast(null as text) as deal_reference,
        cast(event_id as text) as bare_record_id,
        identity_node_id,
        session_id,
        cast(0 as bigint) as account_key,
        cast(null as text) as order_id,
        cast(null as text) as deal_id,
        source_name,
        coalesce(revenue_amount, {{ no_money() }}) as gross_amount,
        cast(
            {{ net_revenue('revenue_amount', 'tax_amount', 'shipping_amount') }} as decimal(18, 6)
        ) as net_amount,
        upper(coalesce(currency_code, '{{ reporting }}')) as currency_code,
        item_quantity,
        true as is_valid,
        cast(null as text) as invalid_reason,
        revenue_amount as stated_amount,
        currency_code as stated_currency_code
    from web_purchase
)

select * from final
