-- grain: one row per week of a customer's first visit, and week after it
{{ config(materialized='table', sort=['cohort_week', 'week_number']) }}

with session as (
    select identity_node_id, reporting_date, session_started_at
    from {{ ref('int_session_campaign') }}
    where not is_bot and identity_node_id <> 0
),

bridge as (
    select identity_node_id, customer_key, valid_from, valid_to from {{ ref('bridge_identity') }}
    where customer_key <> 0
),

active_week as (
    select bridge.customer_key, {{ week_of('session.reporting_date') }} as week
    from session
    inner join bridge
        on
            session.identity_node_id = bridge.identity_node_id
            and session.session_started_at >= bridge.valid_from
            and session.session_started_at < bridge.valid_to
    group by bridge.customer_key, {{ week_of('session.reporting_date') }}
),

sale as (
    select
        customer_key,
        {{ week_of('reporting_date') }} as week,
        sum(revenue_reporting_amount) as revenue_reporting_amount,
        count(*) as order_count,
        sum(case when is_partial then 1 else 0 end) as unconverted_rows
    from {{ ref('fct_conversion') }}
    where is_sale and customer_key <> 0
    group by customer_key, {{ week_of('reporting_date') }}
),

first_week as (
    select customer_key, min(week) as cohort_week
    from active_week
    group by customer_key
),

-- A week in which a customer bought counts as active, with a visit or without.
presence as (
    select customer_key, week, max(is_buyer) as is_buyer,
        sum(revenue_reporting_amount) as revenue_reporting_amount, sum(order_count) as order_count,
        sum(unconverted_rows) as unconverted_rows
    from (
        select customer_key, week, 0 as is_buyer,
            {{ no_money() }} as revenue_reporting_amount, cast(0 as bigint) as order_count,
            cast(0 as bigint) as unconverted_rows
        from active_week
        union all
        select
            customer_key, week, 1 as is_buyer, revenue_reporting_amount, order_count,
            unconverted_rows
        from sale
    )
    group by customer_key, week
),

cohort as (
    select cohort_week, count(*) as cohort_customer_count
    from first_week
    group by cohort_week
),

by_week as (
    select
        first_week.cohort_week,
        presence.week,
        count(*) as active_customer_count,
        sum(presence.is_buyer) as buying_customer_count,
        sum(presence.order_count) as order_count,
        sum(presence.revenue_reporting_amount) as revenue_reporting_amount,
        sum(presence.unconverted_rows) as unconverted_rows
    from presence
    inner join first_week on presence.customer_key = first_week.customer_key
    where presence.week >= first_week.cohort_week
    group by first_week.cohort_week, presence.week
),

final as (
    select
        by_week.cohort_week,
        cast(
            (date_part('epoch', by_week.week) - date_part('epoch', by_week.cohort_week)) / 604800
            as bigint
        ) as week_number,
        by_week.week,
        cohort.cohort_customer_count,
        by_week.active_customer_count,
        cast(by_week.buying_customer_count as bigint) as buying_customer_count,
        cast(by_week.order_count as bigint) as order_count,
        cast(by_week.revenue_reporting_amount as decimal(18, 6)) as revenue_reporting_amount,
        cast(by_week.unconverted_rows as bigint) as unconverted_rows,
        by_week.unconverted_rows > 0 as is_partial,
        {{ ratio('by_week.active_customer_count', 'cohort.cohort_customer_count') }}
            as retention_rate
    from by_week
    inner join cohort on by_week.cohort_week = cohort.cohort_week
)

select * from final
