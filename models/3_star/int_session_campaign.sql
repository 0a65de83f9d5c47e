-- grain: one row per web session
{{ config(materialized='view') }}

-- The campaign is looked up when read, by what the name meant when the session began: a rename that
-- becomes known later moves old sessions too, and rewrites none of them.
with session as (
    select * from {{ ref('int_session') }}
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
        {{ campaign_of_visit('session') }} as campaign_key,
        case
            when session.click_campaign_key is not null then 'click_id'
            when alias_by_id.campaign_key <> 0 then 'utm_id'
            when alias_by_name.campaign_key <> 0 then 'utm_campaign'
            when alias_by_id.campaign_key = 0 or alias_by_name.campaign_key = 0 then 'ambiguous'
            when session.campaign_name like '(%' and session.utm_id is null then 'none'
            else 'unresolved'
        end as campaign_resolution,
        coalesce(session.click_ad_group_key, -1) as ad_group_key,
        coalesce(session.click_ad_key, -1) as ad_key,
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
    {{ campaign_alias_joins('session', 'session_started_at') }}
)

select * from final
