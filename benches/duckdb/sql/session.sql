-- A direct visit takes over the last other source of the same device, for 30 days; a click id in
-- the address finds the platform's own report of the click.
with sourced as (
    select
        *,
        last_value(case when not is_direct then {
            'at': session_started_at, 'channel': channel, 'source': source, 'medium': medium,
            'campaign': campaign_name
        } end ignore nulls) over (
            partition by case when anonymous_node = 0 then identity_node else anonymous_node end
            order by session_started_at, session_key
            rows between unbounded preceding and 1 preceding
        ) as before
    from scope_session
),

recent as (
    select
        * exclude (before),
        case
            when is_direct and before.at >= session_started_at - interval '30 days' then before
        end as taken
    from sourced
)

select
    recent.* exclude (taken),
    coalesce(taken.channel, channel) as last_non_direct_channel,
    coalesce(taken.source, source) as last_non_direct_source,
    coalesce(taken.medium, medium) as last_non_direct_medium,
    coalesce(taken.campaign, campaign_name) as last_non_direct_campaign_name,
    ad_click.campaign_id as click_campaign_id,
    ad_click.ad_group_id as click_ad_group_id,
    ad_click.keyword_text
from recent
left join ad_click on recent.click_id = ad_click.click_id
