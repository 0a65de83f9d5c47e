-- grain: one row per journey event, with the customer and the versions as of the event
{{ config(materialized='view') }}

-- Who an event belongs to: the strongest identifier on it, else that of its session, else its
-- device; a stage of a deal belongs to the deal's person.
with journey_event as (
    select * from {{ ref('fct_journey_event') }}
),

session as (
    select
        session_id,
        identity_node_id as session_identity_node_id,
        channel_key as session_channel_key,
        campaign_key as session_campaign_key
    from {{ ref('int_session_campaign') }}
),

deal_customer as (
    select deal_key, identity_node_id as deal_identity_node_id from {{ ref('int_deal_customer') }}
),

located as (
    select
        journey_event.*,
        coalesce(session.session_channel_key, journey_event.channel_key) as session_channel_key,
        coalesce(session.session_campaign_key, -1) as session_campaign_key,
        case
            when journey_event.identity_node_id <> journey_event.anonymous_node_id
                and journey_event.identity_node_id <> 0 then journey_event.identity_node_id
            else coalesce(
                session.session_identity_node_id,
                deal_customer.deal_identity_node_id,
                journey_event.identity_node_id
            )
        end as customer_node_id
    from journey_event
    left join session on journey_event.session_id = session.session_id
    left join deal_customer on journey_event.deal_key = deal_customer.deal_key
),

bridge as (
    select identity_node_id, customer_key, valid_from, valid_to from {{ ref('bridge_identity') }}
),

customer as (
    select customer_key, customer_version_key, valid_from, valid_to from {{ ref('dim_customer') }}
),

account as (
    select account_key, account_version_key, valid_from, valid_to from {{ ref('dim_account') }}
),

campaign as (
    select campaign_key, campaign_version_key, valid_from, valid_to from {{ ref('dim_campaign') }}
),

final as (
    select
        located.*,
        coalesce(bridge.customer_key, 0) as customer_key,
        coalesce(customer.customer_version_key, 0) as customer_version_key,
        coalesce(account.account_version_key, 0) as account_version_key,
        coalesce(campaign.campaign_version_key, 0) as campaign_version_key
    from located
    left join bridge
        on
            located.customer_node_id = bridge.identity_node_id
            and located.event_at >= bridge.valid_from
            and located.event_at < bridge.valid_to
    left join customer
        on
            bridge.customer_key = customer.customer_key
            and located.event_at >= customer.valid_from
            and located.event_at < customer.valid_to
    left join account
        on
            located.account_key = account.account_key
            and located.event_at >= account.valid_from
            and located.event_at < account.valid_to
    left join campaign
        on
            located.session_campaign_key = campaign.campaign_key
            and located.event_at >= campaign.valid_from
            and located.event_at < campaign.valid_to
)

select * from final
