-- The rows of the fact as they are published: what happened, and the source it came from.
select
    journey.* exclude (session_key),
    journey.event_date as reporting_date,
    'web' as event_group,
    'ga4' as source_name,
    journey.session_key as session_id,
    event_source.source,
    event_source.medium,
    event_source.campaign,
    event_source.term,
    event_source.content,
    event_source.utm_id,
    event_source.click_id,
    event_source.click_id_type,
    event_source.resolution as source_resolution,
    event_source.referrer_host,
    case
        when event_source.channel is not null then event_source.channel
        when journey.session_event_index = 1 then 'Direct'
    end as channel
from journey
left join event_source on journey.event_id = event_source.event_hash
{where}
