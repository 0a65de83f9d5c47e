-- grain: one row per web session
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date',
    lookback_of={'ad_click': project.sessions.last_non_direct_days},
    lookahead=1,
    sort=['anonymous_node_id', 'session_started_at'],
    bloom=['session_id', 'anonymous_node_id', 'identity_node_id'],
    stats=[
        'event_date', 'anonymous_node_id', 'session_started_at', 'identity_node_id', 'session_id'
    ]
) }}

with session_base as (
    select * from {{ ref('int_session_base') }}
),

-- A click id in the address is joined to the platform's own report of that click.
ad_click as (
    {{ ranked_ad_clicks() }}
),

final as (
    select
        session_base.session_id,
        session_base.event_date,
        session_base.reporting_date,
        session_base.session_started_at,
        session_base.session_ended_at,
        session_base.anonymous_node_id,
        session_base.identity_node_id,
        session_base.identity_node_type,
        session_base.session_number,
        session_base.landing_page_key,
        session_base.device_key,
        session_base.geo_key,
        session_base.channel_key,
        session_base.source_name,
        session_base.source,
        session_base.medium,
        session_base.campaign_name,
        session_base.term,
        session_base.content,
        session_base.utm_id,
        session_base.click_id,
        session_base.click_id_type,
        session_base.source_resolution,
        session_base.referrer_host,
        case
            when ad_click.campaign_id is not null
                then {{ campaign_member_key('campaign', 'ad_click.platform',
                    'ad_click.campaign_id') }}
        end as click_campaign_key,
        case
            when ad_click.ad_group_id is not null
                then {{ campaign_member_key('ad_group', 'ad_click.platform',
                    'ad_click.ad_group_id') }}
        end as click_ad_group_key,
        case
            when ad_click.ad_id is not null
                then {{ campaign_member_key('ad', 'ad_click.platform', 'ad_click.ad_id') }}
        end as click_ad_key,
        ad_click.keyword_text,
        {{ campaign_alias_keys('session_base') }},
        session_base.consent_analytics,
        session_base.consent_ads,
        session_base.event_count,
        session_base.page_view_count,
        session_base.conversion_count,
        session_base.engagement_msec,
        session_base.duration_seconds,
        session_base.is_engaged,
        session_base.is_bot,
        session_base.is_new_visitor,
        session_base.is_direct,
        session_base.has_view_item,
        session_base.has_add_to_cart,
        session_base.has_begin_checkout,
        session_base.has_purchase
    from session_base
    left join ad_click on session_base.click_id = ad_click.click_id and ad_click.place = 1
)

select * from final
