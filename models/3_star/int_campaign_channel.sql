-- grain: one row per campaign, with the channel that its spend belongs to
{{ config(materialized='table') }}

-- Spend and revenue meet in a channel only if a campaign's spend goes where its visits went.
with session as (
    select campaign_key, channel_key, count(*) as session_count
    from {{ ref('int_session_campaign') }}
    where campaign_key not in (0, -1) and not is_bot
    group by campaign_key, channel_key
),

visited as (
    select
        campaign_key,
        channel_key,
        row_number() over (
            partition by campaign_key order by session_count desc, channel_key
        ) as place
    from session
),

campaign as (
    select campaign_key, platform, campaign_type
    from {{ ref('dim_campaign') }}
    where level = 'campaign' and is_current and campaign_key not in (0, -1)
),

final as (
    select
        campaign.campaign_key,
        coalesce(
            visited.channel_key,
            {{ channel_key(channel_of_platform('campaign.platform', 'campaign.campaign_type')) }}
        ) as channel_key,
        case when visited.channel_key is not null then 'sessions' else 'platform' end as basis
    from campaign
    left join visited
        on campaign.campaign_key = visited.campaign_key and visited.place = 1
)

select * from final
