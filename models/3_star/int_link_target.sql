-- grain: one row per kind of target, source, join key and value that can be found there
{{ config(materialized='table') }}

-- What the other side knows: identifiers seen on the web, numbers and addresses in shop, CRM and
-- billing.
with web_identifier as (
    select
        source_name,
        case a_type
            when 'device' then 'client_id'
            when 'user' then 'user_id'
            when 'order' then 'transaction_id'
            else a_type
        end as join_key,
        a_value as value,
        min(first_at) as first_at,
        max(last_at) as last_at
    from {{ ref('int_web_identity_day') }}
    where b_type is null and a_type in ('device', 'user', 'email', 'phone', 'order')
    group by source_name, a_type, a_value
),

web_click as (
    select
        source_name,
        click_id_type as join_key,
        click_id as value,
        min(session_started_at) as first_at,
        max(session_started_at) as last_at
    from {{ ref('int_session') }}
    where click_id is not null
    group by source_name, click_id_type, click_id
),

-- A cookie of another tool is known where a source states which device has it.
stated_cookie as (
    select
        source_name,
        'tracking_cookie' as join_key,
        case when a_type = 'cookie' then a_value else b_value end as value,
        min(coalesce(linked_at, effective_at)) as first_at,
        max(coalesce(linked_at, effective_at)) as last_at
    from {{ entity('identity_link') }}
    where
        (a_type = 'cookie' and b_type in ('device', 'user'))
        or (b_type = 'cookie' and a_type in ('device', 'user'))
    group by source_name, case when a_type = 'cookie' then a_value else b_value end
),

record as (
    select record_type, record_id, source_name, recorded_at from {{ ref('int_link_record') }}
    where record_type in ('order', 'contact', 'lead', 'deal', 'invoice')
),

carried as (
    select record_type, record_id, join_key, value from {{ ref('int_link_key') }}
),

-- Every order and invoice that is there, also one that does not count: it explains a number.
shop_order as (
    select
        split_part(order_id, ':', 1) as source_name,
        reference as value,
        min(ordered_at) as first_at,
        max(ordered_at) as last_at
    from {{ ref('int_order_reference') }}
    group by split_part(order_id, ':', 1), reference
),

invoice as (
    select
        source_name,
        unnest(make_array(
            {{ order_reference('invoice_number') }}, {{ bare_id('invoice_id') }}
        )) as value,
        invoiced_at
    from {{ entity('invoice') }}
),

deal as (
    select source_name, {{ bare_id('deal_id') }} as value, coalesce(created_at, effective_at) as at
    from {{ entity('deal') }}
),

web_value as (
    select source_name, join_key, value, first_at, last_at from web_identifier
    union all
    select source_name, join_key, value, first_at, last_at from web_click
    union all
    select source_name, join_key, value, first_at, last_at from stated_cookie
),

record_value as (
    select
        'order' as target_type, source_name, 'transaction_id' as join_key, value, first_at, last_at
    from shop_order

    union all

    select
        'order' as target_type, source_name, 'order_number' as join_key, value, first_at, last_at
    from shop_order

    union all

    select
        case when record.record_type = 'order' then 'order' else 'crm' end as target_type,
        record.source_name,
        carried.join_key,
        carried.value,
        record.recorded_at as first_at,
        record.recorded_at as last_at
    from record
    inner join carried
        on record.record_type = carried.record_type and record.record_id = carried.record_id
    where
        record.record_type in ('order', 'contact', 'lead')
        and carried.join_key in ('email', 'phone', 'user_id')

    union all

    select
        'invoice' as target_type, source_name, 'invoice_number' as join_key, value,
        invoiced_at as first_at, invoiced_at as last_at
    from invoice

    union all

    select
        'deal' as target_type, source_name, 'deal_id' as join_key, value, at as first_at,
        at as last_at
    from deal
),

-- The web's values are one row each already, and many.
target as (
    select 'web' as target_type, source_name, join_key, value, first_at, last_at from web_value

    union all

    select
        target_type, source_name, join_key, value, min(first_at) as first_at,
        max(last_at) as last_at
    from record_value
    group by target_type, source_name, join_key, value
),

final as (
    select
        target_type,
        source_name,
        join_key,
        value,
        {{ loose_value('join_key', 'value') }} as loose_value,
        first_at,
        last_at
    from target
    where
        value is not null
        and not is_blocked_identifier({{ node_type_of('join_key') }}, value)
)

select * from final
