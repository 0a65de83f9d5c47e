-- grain: one row per web event that names another source than the one before it in its visit
{{ config(
    materialized='incremental',
    incremental_strategy='replace_interval',
    enabled=project.attribution.touches == 'event',
    event_time='event_date',
    lookback=1,
    lookback_of={'ad_click': project.sessions.last_non_direct_days},
    sort=['event_id']
) }}

-- A visit may go on after midnight: it is looked for on the day before, too.
with source_event as (
    select
        event_id,
        event_date,
        event_at,
        session_id,
        channel_key,
        source,
        campaign_name,
        utm_id,
        click_id,
        -- All events of a landing page carry its tags: they are one touch. In brackets, because
        -- `is not distinct from` takes the `and` behind it, too.
        lag(session_id) over visit is not null
        and (source is not distinct from lag(source) over visit)
        and (medium is not distinct from lag(medium) over visit)
        and (campaign_name is not distinct from lag(campaign_name) over visit)
        and (utm_id is not distinct from lag(utm_id) over visit)
        and (click_id is not distinct from lag(click_id) over visit)
        and (term is not distinct from lag(term) over visit)
        and (content is not distinct from lag(content) over visit)
            as is_repeated
    from {{ ref('fct_journey_event', part='web') }}
    where session_id is not null and source_resolution is not null
    window visit as (partition by session_id order by session_event_index)
),

-- The person is that of the visit: who clicks an ad often says later in it who they are.
session as (
    select session_id, identity_node_id from {{ ref('int_session') }} where not is_bot
),

ad_click as (
    {{ ranked_ad_clicks() }}
),

final as (
    select
        source_event.event_id,
        source_event.event_date,
        source_event.event_at,
        session.identity_node_id,
        source_event.channel_key,
        source_event.campaign_name,
        source_event.utm_id,
        case
            when ad_click.campaign_id is not null
                then {{ campaign_member_key('campaign', 'ad_click.platform',
                    'ad_click.campaign_id') }}
        end as click_campaign_key,
        {{ campaign_alias_keys('source_event') }}
    from source_event
    inner join session on source_event.session_id = session.session_id
    left join ad_click on source_event.click_id = ad_click.click_id and ad_click.place = 1
    where not source_event.is_repeated
)

select * from final
