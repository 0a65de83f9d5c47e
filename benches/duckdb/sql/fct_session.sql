-- Sessions with their campaign, looked up when read: a campaign that is renamed or mapped later
-- moves its old sessions too.
select
    session.*,
    coalesce(
        session.click_campaign_id, by_id.campaign_id, by_name.campaign_id,
        case when campaign_name like '(%' and utm_id is null then '(none)' else '(unknown)' end
    ) as campaign_id
from session
left join campaign_alias as by_id
    on
        by_id.kind = 'id'
        and platform_of_source(session.source) = by_id.platform
        and alias_text(session.utm_id) = by_id.alias
left join campaign_alias as by_name
    on
        by_name.kind = 'name'
        and session.campaign_name not like '(%'
        and platform_of_source(session.source) = by_name.platform
        and alias_text(session.campaign_name) = by_name.alias
