-- Events of the website, each on its own day.
with $session,

event as (
    select
        event_id,
        session_id,
        reporting_date,
        local_date(event_at, '$zone') as zone_day,
        is_bot,
        coalesce(consent_analytics, '') = 'denied' as is_denied
    from star.fct_journey_event
    where
        event_group = 'web'
        and event_date between date '$from' - interval '2 days'
        and date '$to' + interval '2 days'
),

-- What came several times is one event; how often it came is kept where files are staged.
sent_again as (
    select
        durable_key('event', source_name, event_id) as event_id,
        cast(count(*) - 1 as decimal(38, 6)) as more
    from ($staged) as delivery
    group by source_name, event_id
    having count(*) > 1
),

event_row as (
    select
        event.*,
        '' as again,
        cast(1 as decimal(38, 6)) as amount
    from event

    union all

    select
        event.*,
        'duplicates:theirs ' as again,
        sent_again.more as amount
    from event
    inner join sent_again on event.event_id = sent_again.event_id
)

select
    'events' as measure,
    cast(null as text) as platform,
    cast(null as text) as account,
    came_by.campaign,
    came_by.channel,
    came_by.source,
    came_by.medium,
    cast(null as text) as currency,
    event_row.reporting_date as day,
    event_row.zone_day,
    event_row.zone_day as basis_day,
    cast(null as bigint) as known_from,
    cast(null as bigint) as known_to,
    concat(
        event_row.again,
        coalesce(came_by.model, ''),
        case when event_row.is_bot then 'bots:theirs ' else '' end,
        case when event_row.is_denied then 'consent:ours' else '' end
    ) as sides,
    event_row.amount
from event_row
left join came_by on event_row.session_id = came_by.session_id
