-- grain: one row per web event that may be a conversion
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date'
) }}

with journey_event as (
    select
        event_id,
        event_at,
        event_date,
        event_type,
        source_name,
        anonymous_node_id,
        identity_node_id,
        identity_node_type,
        session_id,
        geo_key,
        order_reference,
        revenue_amount,
        tax_amount,
        shipping_amount,
        currency_code,
        item_quantity
    from {{ ref('fct_journey_event', part='web') }}
    where
        event_group = 'web'
        and event_type in ({{ conversion_event_names() }})
        and not is_bot
)

select * from journey_event
