-- grain: one row per text by which links name a campaign, and platform that the link speaks of
{{ config(materialized='table') }}

with member_version as (
    select
        campaign_member_key as campaign_key, level, platform, campaign_id, campaign_name,
        utm_campaign, valid_from, is_current
    from {{ ref('dim_campaign') }}
    where
        level in ('campaign', 'ad_group', 'ad')
        and not is_not_at_this_level
        and campaign_member_key <> 0
),

-- Every name a campaign ever had leads to it: links keep the old name for months. The tags that its
-- ads carry lead to it too.
named as (
    select
        campaign_key,
        platform,
        valid_from,
        is_current,
        unnest(make_array(
            named_struct('kind', 'id', 'text',
                case when level = 'campaign' then campaign_id end),
            named_struct('kind', 'name', 'text',
                case when level = 'campaign' then campaign_name end),
            named_struct('kind', 'name', 'text', utm_campaign)
        )) as alias
    from member_version
),

alias as (
    select
        alias['kind'] as alias_kind,
        alias['text'] as alias_text,
        campaign_key,
        platform,
        valid_from,
        is_current
    from named
),

candidate as (
    select
        alias_kind,
        {{ campaign_alias_text('alias_text') }} as alias_text,
        platform,
        campaign_key,
        max(valid_from) as valid_from,
        bool_or(is_current) as is_current
    from alias
    where alias_text is not null
    group by alias_kind, {{ campaign_alias_text('alias_text') }}, platform, campaign_key
),

-- One platform may use a name twice: the campaign that has it now wins, then the latest.
by_platform as (
    select
        alias_kind,
        alias_text,
        platform,
        campaign_key,
        count(*) over (partition by alias_kind, alias_text, platform) as candidate_count,
        row_number() over (
            partition by alias_kind, alias_text, platform
            order by is_current desc, valid_from desc, campaign_key
        ) as place
    from candidate
),

-- A link that names no platform we know finds a campaign only if there is just one.
for_any_platform as (
    select
        alias_kind,
        alias_text,
        '*' as platform,
        min(campaign_key) as campaign_key,
        cast(1 as bigint) as candidate_count
    from candidate
    group by alias_kind, alias_text
    having count(distinct campaign_key) = 1
),

chosen as (
    select alias_kind, alias_text, platform, campaign_key, cast(candidate_count as bigint)
        as candidate_count
    from by_platform
    where place = 1

    union all

    select alias_kind, alias_text, platform, campaign_key, candidate_count
    from for_any_platform
),

final as (
    select
        durable_key('campaign_alias', alias_kind, platform, alias_text) as alias_key,
        alias_kind,
        alias_text,
        platform,
        campaign_key,
        candidate_count,
        case when alias_kind = 'id' then 'id' else 'name' end as match_method
    from chosen
)

select * from final
