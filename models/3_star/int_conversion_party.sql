-- grain: one row per conversion of a deal with several customers, and customer who took part
{{ config(materialized='table') }}

-- Several people buy together: the touches of all contacts of the deal lead to its conversion.
with conversion as (
    select conversion_id, conversion_at, deal_id, customer_key
    from {{ ref('fct_conversion') }}
    where deal_id is not null
),

deal_party as (
    select deal_id, identity_node_id from {{ ref('int_deal_party') }}
),

bridge as (
    select identity_node_id, customer_key, valid_from, valid_to from {{ ref('bridge_identity') }}
),

member as (
    select conversion.conversion_id, bridge.customer_key
    from conversion
    inner join deal_party on conversion.deal_id = deal_party.deal_id
    inner join bridge
        on
            deal_party.identity_node_id = bridge.identity_node_id
            and conversion.conversion_at >= bridge.valid_from
            and conversion.conversion_at < bridge.valid_to
    where bridge.customer_key <> 0

    union all

    select conversion_id, customer_key
    from conversion
    where customer_key <> 0
),

distinct_member as (
    select conversion_id, customer_key
    from member
    group by conversion_id, customer_key
),

counted as (
    select
        conversion_id,
        customer_key,
        count(*) over (partition by conversion_id) as customer_count
    from distinct_member
),

final as (
    select
        conversion_id,
        durable_key('party', cast(conversion_id as text)) as party_key,
        customer_key
    from counted
    where customer_count > 1
)

select * from final
