-- grain: one row per text by which links name a campaign, platform spoken of, and span of time
{{ config(materialized='table', sort=['alias_key', 'valid_from'], share=['span', 'usable']) }}

-- A text that more campaigns than this share is a template or a placeholder: it names none of them.
{%- set most_campaigns = 100 %}

with member_version as (
    select
        campaign_member_key as campaign_key, level, platform, campaign_id, campaign_name,
        utm_campaign, is_deleted, version_number, valid_from, valid_to,
        coalesce(effective_from, valid_from) as stated_from,
        arrow_cast(start_date, 'Timestamp(Microsecond, Some("UTC"))') as started_at
    from {{ ref('dim_campaign') }}
    where
        level in ('campaign', 'ad_group', 'ad')
        and not is_not_at_this_level
        and campaign_member_key <> 0
),

-- A campaign has its name from when it is said to, its first one from its start. Of a campaign that
-- was never seen alive the name is over.
timed as (
    select
        campaign_key, level, platform, campaign_id, campaign_name, utm_campaign,
        case
            when version_number = 1 then least(stated_from, coalesce(started_at, stated_from))
            else valid_from
        end as held_from,
        case when is_deleted then stated_from else valid_to end as held_to
    from member_version
    where version_number = 1 or not is_deleted
),

-- Its id, its names, and the tags that its ads carry.
named as (
    select
        platform,
        campaign_key,
        held_from,
        held_to,
        unnest(make_array(
            named_struct('kind', 'id', 'text',
                case when level = 'campaign' then campaign_id end),
            named_struct('kind', 'name', 'text',
                case when level = 'campaign' then campaign_name end),
            named_struct('kind', 'name', 'text', utm_campaign)
        )) as alias
    from timed
),

plain as (
    select
        alias['kind'] as alias_kind,
        {{ campaign_alias_text("alias['text']") }} as alias_text,
        platform,
        campaign_key,
        held_from,
        held_to
    from named
    where alias['text'] is not null
),

-- A link may name no platform that we know: then it may mean a campaign of any.
held as (
    select
        alias_kind,
        alias_text,
        unnest(make_array(platform, '*')) as platform,
        campaign_key,
        held_from,
        held_to
    from plain
    where alias_text <> ''
),

-- The ads of a campaign carry a tag at overlapping times: one span.
covered as (
    select
        *,
        max(held_to) over (
            partition by alias_kind, alias_text, platform, campaign_key
            order by held_from, held_to
            rows between unbounded preceding and 1 preceding
        ) as covered_to
    from held
),

numbered as (
    select
        *,
        sum(case when covered_to >= held_from then 0 else 1 end) over (
            partition by alias_kind, alias_text, platform, campaign_key
            order by held_from, held_to
            rows between unbounded preceding and current row
        ) as span_number
    from covered
),

span as (
    select
        durable_key('campaign_alias', alias_kind, platform, alias_text) as alias_key,
        alias_kind,
        alias_text,
        platform,
        campaign_key,
        min(held_from) as held_from,
        max(held_to) as held_to
    from numbered
    group by alias_kind, alias_text, platform, campaign_key, span_number
),

shared as (
    select
        alias_key, alias_kind, alias_text, platform,
        count(distinct campaign_key) as campaign_count
    from span
    group by alias_key, alias_kind, alias_text, platform
    having count(distinct campaign_key) > {{ most_campaigns }}
),

usable as (
    select span.*
    from span
    left anti join shared on span.alias_key = shared.alias_key
),

turn as (
    select alias_key, held_from as effective_at from usable
    union
    select alias_key, held_to as effective_at from usable where held_to < {{ end_of_time() }}
),

-- From each turn on a text means who has it then; where nobody has, who had it last: links and CRM
-- records keep the old name for months.
meant as (
    select
        turn.alias_key,
        turn.effective_at,
        min(usable.alias_kind) as alias_kind,
        min(usable.alias_text) as alias_text,
        min(usable.platform) as platform,
        count(distinct case when turn.effective_at < usable.held_to then usable.campaign_key end)
            as holder_count,
        min(case when turn.effective_at < usable.held_to then usable.campaign_key end)
            as holder_key,
        count(distinct usable.campaign_key) as campaign_count,
        min(usable.campaign_key) as campaign_key
    from turn
    inner join usable
        on
            turn.alias_key = usable.alias_key
            and turn.effective_at >= usable.held_from
            and turn.effective_at <= usable.held_to
    group by turn.alias_key, turn.effective_at
),

-- Where several have it, it means none of them.
judged as (
    select
        alias_key,
        effective_at,
        alias_kind,
        alias_text,
        platform,
        case
            when holder_count = 1 then holder_key
            when holder_count = 0 and campaign_count = 1 then campaign_key
            else 0
        end as campaign_key,
        cast(case when holder_count > 0 then holder_count else campaign_count end as bigint)
            as candidate_count
    from meant

    union all

    select
        alias_key,
        {{ beginning() }} as effective_at,
        alias_kind,
        alias_text,
        platform,
        cast(0 as bigint) as campaign_key,
        cast(campaign_count as bigint) as candidate_count
    from shared
),

{{ versions_of(
    'judged', 'alias_key',
    ['alias_kind', 'alias_text', 'platform', 'campaign_key', 'candidate_count']
) }},

final as (
    select
        alias_key,
        alias_kind,
        alias_text,
        platform,
        campaign_key,
        candidate_count,
        candidate_count > 1 as is_ambiguous,
        case when alias_kind = 'id' then 'id' else 'name' end as match_method,
        effective_from,
        valid_from,
        valid_to,
        is_current
    from versions
)

select * from final
