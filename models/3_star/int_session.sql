-- grain: one row per web session
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    event_time='event_date',
    lookback=project.sessions.last_non_direct_days,
    lookahead=1,
    sort=['anonymous_node_id', 'session_started_at'],
    bloom=['session_id', 'anonymous_node_id', 'identity_node_id']
) }}

with session_base as (
    select * from {{ ref('int_session_base') }}
),

-- A direct visit takes over the last other source of the same device.
with_last_source as (
    select
        *,
        last_value(case when not is_direct then session_started_at end) ignore nulls over before
            as last_source_at,
        last_value(case when not is_direct then channel_key end) ignore nulls over before
            as last_channel_key,
        last_value(case when not is_direct then source end) ignore nulls over before as last_source,
        last_value(case when not is_direct then medium end) ignore nulls over before as last_medium,
        last_value(case when not is_direct then campaign_name end) ignore nulls over before
            as last_campaign_name
    from session_base
    window before as (
        -- Visits without a device are told apart by their person.
        partition by case
            when anonymous_node_id = 0 then identity_node_id
            else anonymous_node_id
        end
        order by session_started_at, session_id
        rows between unbounded preceding and 1 preceding
    )
),

-- A click id in the address is joined to the platform's own report of that click.
ad_click as (
    select
        click_id,
        platform,
        account_id,
        campaign_id,
        ad_group_id,
        ad_id,
        keyword_text,
        row_number() over (partition by click_id order by click_date, platform) as place
    from {{ entity('ad_click') }}
),

final as (
    select
        with_last_source.session_id,
        with_last_source.event_date,
        with_last_source.reporting_date,
        with_last_source.session_started_at,
        with_last_source.session_ended_at,
        with_last_source.anonymous_node_id,
        with_last_source.identity_node_id,
        with_last_source.identity_node_type,
        with_last_source.session_number,
        with_last_source.landing_page_key,
        with_last_source.device_key,
        with_last_source.geo_key,
        with_last_source.channel_key,
        with_last_source.source_name,
        with_last_source.source,
        with_last_source.medium,
        with_last_source.campaign_name,
        with_last_source.term,
        with_last_source.content,
        with_last_source.utm_id,
        with_last_source.click_id,
        with_last_source.click_id_type,
        with_last_source.source_resolution,
        with_last_source.referrer_host,
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
        ad_click.keyword_text,
        {{ campaign_alias_key('id', platform_of_source('with_last_source.source'),
            'with_last_source.utm_id') }} as campaign_id_alias_key,
        case
            when with_last_source.campaign_name not like '(%'
                then {{ campaign_alias_key('name', platform_of_source('with_last_source.source'),
                    'with_last_source.campaign_name') }}
        end as campaign_name_alias_key,
        -- Within the look-back only, and only where the session has no source of its own.
        case when is_direct and is_recent then last_channel_key else channel_key end
            as last_non_direct_channel_key,
        case when is_direct and is_recent then last_source else source end
            as last_non_direct_source,
        case when is_direct and is_recent then last_medium else medium end
            as last_non_direct_medium,
        case
            when is_direct and is_recent then last_campaign_name
            else with_last_source.campaign_name
        end
            as last_non_direct_campaign_name,
        with_last_source.consent_analytics,
        with_last_source.consent_ads,
        with_last_source.event_count,
        with_last_source.page_view_count,
        with_last_source.conversion_count,
        with_last_source.engagement_msec,
        with_last_source.duration_seconds,
        with_last_source.is_engaged,
        with_last_source.is_bot,
        with_last_source.is_new_visitor,
        with_last_source.is_direct,
        with_last_source.has_view_item,
        with_last_source.has_add_to_cart,
        with_last_source.has_begin_checkout,
        with_last_source.has_purchase
    from (
        select
            *,
            last_source_at >= session_started_at
                - interval '{{ project.sessions.last_non_direct_days }} days' as is_recent
        from with_last_source
    ) as with_last_source
    left join ad_click on with_last_source.click_id = ad_click.click_id and ad_click.place = 1
)

select * from final
