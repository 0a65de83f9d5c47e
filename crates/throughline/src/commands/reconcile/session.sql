-- What a session came by: its own source, and that of the last visit that was not direct, which
-- is what a tracker's reports show. Where the two differ, each side has a row of its own.
session as (
    select
        fct_session.session_id,
        fct_session.anonymous_node_id,
        fct_session.reporting_date,
        local_date(fct_session.session_started_at, '$zone') as zone_day,
        fct_session.is_bot,
        coalesce(fct_session.consent_analytics, '') = 'denied' as is_denied,
        own.channel as own_channel,
        fct_session.source as own_source,
        fct_session.medium as own_medium,
        fct_session.campaign_name as own_campaign,
        last_seen.channel as last_channel,
        fct_session.last_non_direct_source as last_source,
        fct_session.last_non_direct_medium as last_medium,
        fct_session.last_non_direct_campaign_name as last_campaign,
        $is_split and (
            fct_session.channel_key <> fct_session.last_non_direct_channel_key
            or (fct_session.source is distinct from fct_session.last_non_direct_source)
            or (fct_session.medium is distinct from fct_session.last_non_direct_medium)
            or (
                fct_session.campaign_name
                is distinct from fct_session.last_non_direct_campaign_name
            )
        ) as is_other
    from star.fct_session
    left join star.dim_channel as own on fct_session.channel_key = own.channel_key
    left join star.dim_channel as last_seen
        on fct_session.last_non_direct_channel_key = last_seen.channel_key
    where
        fct_session.event_date between date '$from' - interval '3 days'
        and date '$to' + interval '3 days'
),

came_by as (
    select
        *,
        own_campaign as campaign,
        own_channel as channel,
        own_source as source,
        own_medium as medium,
        case when is_other then 'model:ours ' else '' end as model
    from session

    union all

    select
        *,
        last_campaign as campaign,
        last_channel as channel,
        last_source as source,
        last_medium as medium,
        'model:theirs ' as model
    from session
    where is_other
)
