-- grain: one row per web session
{{ config(materialized='view') }}

with session as (
    select * from {{ ref('int_session_campaign') }}
),

last_source as (
    select * from {{ ref('int_session_last_source') }}
),

final as (
    select
        session.session_id,
        session.event_date,
        session.reporting_date,
        session.session_started_at,
        session.session_ended_at,
        session.anonymous_node_id,
        session.identity_node_id,
        session.identity_node_type,
        session.session_number,
        session.landing_page_key,
        session.device_key,
        session.geo_key,
        session.channel_key,
        session.campaign_key,
        session.campaign_resolution,
        session.ad_group_key,
        session.ad_key,
        coalesce(last_source.last_channel_key, session.channel_key) as last_non_direct_channel_key,
        session.source_name,
        session.source,
        session.medium,
        session.campaign_name,
        session.term,
        session.content,
        session.utm_id,
        session.click_id,
        session.click_id_type,
        session.keyword_text,
        session.source_resolution,
        session.referrer_host,
        coalesce(last_source.last_source, session.source) as last_non_direct_source,
        coalesce(last_source.last_medium, session.medium) as last_non_direct_medium,
        coalesce(last_source.last_campaign_name, session.campaign_name)
            as last_non_direct_campaign_name,
        session.consent_analytics,
        session.consent_ads,
        session.event_count,
        session.page_view_count,
        session.conversion_count,
        session.engagement_msec,
        session.duration_seconds,
        session.is_engaged,
        session.is_bot,
        session.is_new_visitor,
        session.is_direct,
        session.has_view_item,
        session.has_add_to_cart,
        session.has_begin_checkout,
        session.has_purchase
    from session
    left join last_source on session.session_id = last_source.session_id
)

select * from final
