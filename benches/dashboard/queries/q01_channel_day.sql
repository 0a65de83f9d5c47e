-- Sessions and revenue by channel and day, the last 90 days.
select
    figure.date,
    channel.channel,
    sum(figure.sessions) as sessions,
    sum(figure.engaged_sessions) as engaged_sessions,
    sum(figure.revenue) as revenue
from (
    select
        event_date as date,
        channel_key,
        count(*) as sessions,
        sum(case when is_engaged then 1 else 0 end) as engaged_sessions,
        cast(0 as decimal(18, 6)) as revenue
    from {session}
    where event_date between {date_first} and {date_last} and not is_bot
    group by event_date, channel_key
    union all
    select
        conversion_date as date,
        channel_key,
        0 as sessions,
        0 as engaged_sessions,
        sum(credited_reporting_amount) as revenue
    from star.fct_attribution_credit
    where
        conversion_date between {date_first} and {date_last}
        and model = 'last_non_direct' and is_sale
    group by conversion_date, channel_key
) as figure
inner join star.dim_channel as channel on figure.channel_key = channel.channel_key
group by figure.date, channel.channel
order by date, channel
