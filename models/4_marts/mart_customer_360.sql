-- grain: one row per customer that is more than a device
{{ config(
    materialized='incremental',
    incremental_strategy='replace_key',
    unique_key='customer_key',
    keys_of={
        'int_session': 'bridge_identity.identity_node_id',
        'fct_refund': 'fct_conversion.conversion_id'
    },
    sort=['customer_key']
) }}

with customer as (
    select
        customer_key, customer_type, first_seen_at, identifier_count, device_count, account_key,
        company_name, lifecycle_stage, lead_source, country, city, language
    from {{ ref('dim_customer') }}
    where is_current and customer_type <> 'anonymous' and customer_key not in (0, -1)
),

bridge as (
    select identity_node_id, customer_key, valid_from, valid_to from {{ ref('bridge_identity') }}
),

session as (
    select
        bridge.customer_key,
        count(*) as session_count,
        sum(case when session.is_engaged then 1 else 0 end) as engaged_session_count,
        sum(session.page_view_count) as page_view_count,
        min(session.session_started_at) as first_session_at,
        max(session.session_started_at) as last_session_at
    from {{ ref('int_session_campaign') }} as session
    inner join bridge
        on
            session.identity_node_id = bridge.identity_node_id
            and session.session_started_at >= bridge.valid_from
            and session.session_started_at < bridge.valid_to
    where not session.is_bot
    group by bridge.customer_key
),

first_session as (
    select
        bridge.customer_key,
        session.channel_key,
        session.campaign_key,
        row_number() over (
            partition by bridge.customer_key order by session.session_started_at, session.session_id
        ) as place
    from {{ ref('int_session_campaign') }} as session
    inner join bridge
        on
            session.identity_node_id = bridge.identity_node_id
            and session.session_started_at >= bridge.valid_from
            and session.session_started_at < bridge.valid_to
    where not session.is_bot
),

conversion as (
    select
        customer_key,
        sum(case when is_sale then 1 else 0 end) as order_count,
        sum(case when not is_sale then 1 else 0 end) as lead_count,
        sum(case when is_sale then revenue_reporting_amount end) as revenue_reporting_amount,
        min(case when is_sale then conversion_at end) as first_order_at,
        max(case when is_sale then conversion_at end) as last_order_at,
        bool_or(is_partial) as is_partial
    from {{ ref('fct_conversion') }}
    where customer_key <> 0
    group by customer_key
),

refund as (
    select
        conversion.customer_key,
        sum(refund.refund_reporting_amount) as refund_reporting_amount,
        bool_or(refund.refund_amount <> 0 and refund.refund_reporting_amount is null)
            as is_partial
    from {{ ref('fct_refund') }} as refund
    inner join {{ ref('fct_conversion') }} as conversion
        on refund.conversion_id = conversion.conversion_id
    group by conversion.customer_key
),

channel as (
    select channel_key, channel from {{ ref('dim_channel') }}
),

joined as (
    select
        customer.customer_key,
        customer.customer_type,
        customer.account_key,
        customer.company_name,
        customer.lifecycle_stage,
        customer.lead_source,
        customer.country,
        customer.city,
        customer.language,
        coalesce(first_session.channel_key, -1) as acquisition_channel_key,
        coalesce(channel.channel, '(no visit)') as acquisition_channel,
        coalesce(first_session.campaign_key, -1) as acquisition_campaign_key,
        customer.identifier_count,
        customer.device_count,
        coalesce(session.session_count, 0) as session_count,
        cast(coalesce(session.engaged_session_count, 0) as bigint) as engaged_session_count,
        cast(coalesce(session.page_view_count, 0) as bigint) as page_view_count,
        cast(coalesce(conversion.lead_count, 0) as bigint) as lead_count,
        cast(coalesce(conversion.order_count, 0) as bigint) as order_count,
        cast(coalesce(conversion.revenue_reporting_amount, 0) as decimal(18, 6))
            as revenue_reporting_amount,
        cast(coalesce(refund.refund_reporting_amount, 0) as decimal(18, 6))
            as refund_reporting_amount,
        customer.first_seen_at,
        session.first_session_at,
        session.last_session_at,
        conversion.first_order_at,
        conversion.last_order_at,
        coalesce(conversion.is_partial, false) or coalesce(refund.is_partial, false) as is_partial
    from customer
    left join session on customer.customer_key = session.customer_key
    left join first_session
        on customer.customer_key = first_session.customer_key and first_session.place = 1
    left join channel on first_session.channel_key = channel.channel_key
    left join conversion on customer.customer_key = conversion.customer_key
    left join refund on customer.customer_key = refund.customer_key
),

final as (
    select
        joined.*,
        cast(
            revenue_reporting_amount
            {%- if project.revenue.subtract_refunds %} - refund_reporting_amount{% endif %}
            as decimal(18, 6)
        ) as net_revenue_reporting_amount,
        {{ ratio('revenue_reporting_amount', 'order_count') }} as average_order_value,
        cast(
            (date_part('epoch', first_order_at) - date_part('epoch', first_seen_at)) / 86400.0
            as double
        ) as days_to_first_order
    from joined
)

select * from final
