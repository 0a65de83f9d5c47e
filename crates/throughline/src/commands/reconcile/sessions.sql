-- Sessions and users of the website. A user counts once a day and source, so each definition of
-- the two has rows of its own.
with $session,

session_row as (
    select
        'sessions' as measure, campaign, channel, source, medium,
        reporting_date as day, zone_day, is_bot, is_denied, model
    from came_by
),

user_row as (
    select
        anonymous_node_id,
        unnest(make_array(
            named_struct(
                'day', reporting_date, 'zone_day', cast(null as date), 'model', 'model:ours ',
                'campaign', own_campaign, 'channel', own_channel, 'source', own_source,
                'medium', own_medium
            ),
            named_struct(
                'day', cast(null as date), 'zone_day', zone_day, 'model', 'model:ours ',
                'campaign', own_campaign, 'channel', own_channel, 'source', own_source,
                'medium', own_medium
            ),
            named_struct(
                'day', reporting_date, 'zone_day', cast(null as date), 'model', 'model:theirs ',
                'campaign', last_campaign, 'channel', last_channel, 'source', last_source,
                'medium', last_medium
            ),
            named_struct(
                'day', cast(null as date), 'zone_day', zone_day, 'model', 'model:theirs ',
                'campaign', last_campaign, 'channel', last_channel, 'source', last_source,
                'medium', last_medium
            )
        )) as one,
        is_bot,
        is_denied
    from session
    where anonymous_node_id <> 0
),

user_key as (
    select
        anonymous_node_id,
        one['campaign'] as campaign,
        one['channel'] as channel,
        one['source'] as source,
        one['medium'] as medium,
        one['day'] as day,
        one['zone_day'] as zone_day,
        one['model'] as model,
        is_bot,
        is_denied
    from user_row
),

user_day as (
    select
        'users' as measure, $user_key,
        day,
        zone_day,
        bool_and(is_bot) as is_bot,
        bool_and(is_denied) as is_denied,
        model
    from user_key
    group by anonymous_node_id, day, zone_day, model, $user_group
),

figure as (
    select * from session_row
    union all
    select * from user_day
)

select
    measure,
    cast(null as text) as platform,
    cast(null as text) as account,
    campaign,
    channel,
    source,
    medium,
    cast(null as text) as currency,
    day,
    zone_day,
    zone_day as basis_day,
    cast(null as bigint) as known_from,
    cast(null as bigint) as known_to,
    concat(
        model,
        case when is_bot then 'bots:theirs ' else '' end,
        case when is_denied then 'consent:ours' else '' end
    ) as sides,
    cast(1 as decimal(38, 6)) as amount
from figure
