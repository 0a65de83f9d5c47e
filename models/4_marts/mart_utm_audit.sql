-- grain: one row per finding, the values that it is about, and currency of its spend
{{ config(
    materialized='table',
    sort=['finding'],
    share=['tag', 'judged', 'slip', 'campaign_slip']
) }}

-- What is wrong with the tags of links, and what it costs: visits that land in the wrong channel or
-- under no campaign, and spend whose visits cannot be told. One visit may have several findings:
-- never add their rows.
with session as (
    select
        reporting_date,
        source,
        medium,
        campaign_name,
        utm_id,
        click_id,
        click_id_type,
        source_resolution,
        campaign_resolution,
        campaign_key,
        channel_key,
        landing_page_key,
        conversion_count,
        {{ platform_of_source('source') }} as platform
    from {{ ref('fct_session') }}
    where not is_bot
),

channel as (
    select channel_key, channel, is_paid from {{ ref('dim_channel') }}
),

-- The same tags come again and again: each combination is judged once.
tag as (
    select
        session.source,
        session.medium,
        session.campaign_name,
        session.platform,
        session.source_resolution,
        session.campaign_resolution,
        session.click_id_type,
        channel.channel,
        channel.is_paid,
        min(session.reporting_date) as first_date,
        max(session.reporting_date) as last_date,
        count(*) as session_count,
        sum(session.conversion_count) as conversion_count
    from session
    inner join channel on session.channel_key = channel.channel_key
    where session.source_resolution in ('utm', 'click_id')
    group by
        session.source, session.medium, session.campaign_name, session.platform,
        session.source_resolution, session.campaign_resolution, session.click_id_type,
        channel.channel, channel.is_paid
),

-- A click id that decides over utm gives its own source and medium: only utm's own are judged.
judged as (
    select
        *,
        source_resolution = 'utm' and source <> '(not set)' as has_source,
        source_resolution = 'utm' and medium <> '(not set)' as has_medium,
        campaign_name not like '(%' as has_campaign,
        {{ is_known_medium('medium') }} as is_known_medium,
        channel_group(source, null, null) <> 'Unassigned' as is_known_source,
        {{ is_unfilled('source') }} or {{ is_unfilled('medium') }}
        or {{ is_unfilled('campaign_name') }} as is_unfilled
    from tag
),

known_value as (
    select part, value from {{ ref('utm_value') }}
),

-- Where the rules do not know a value: the known one that it is a slip of, if there is one.
odd_value as (
    select distinct 'medium' as part, medium as value
    from judged
    where has_medium and not is_known_medium and not is_unfilled
    union all
    select distinct 'source' as part, source as value
    from judged
    where has_source and not is_known_source and not is_unfilled
),

slip as (
    select
        odd_value.part,
        odd_value.value,
        known_value.value as meant,
        row_number() over (
            partition by odd_value.part, odd_value.value
            order by levenshtein(odd_value.value, known_value.value), known_value.value
        ) as place
    from odd_value
    inner join known_value
        on
            odd_value.part = known_value.part
            and odd_value.value <> known_value.value
            and levenshtein(odd_value.value, known_value.value)
                <= {{ slips_max('known_value.value') }}
            and levenshtein(odd_value.value, known_value.value) < length(known_value.value) - 1
),

medium_slip as (
    select value, meant from slip where part = 'medium' and place = 1
),

source_slip as (
    select value, meant from slip where part = 'source' and place = 1
),

campaign as (
    select campaign_key, platform, campaign_name
    from {{ ref('dim_campaign') }}
    where
        level = 'campaign' and is_current and campaign_key not in (0, -1)
        and not is_not_at_this_level
),

-- A campaign of a link that no platform knows: the platform's campaign that reads nearly the same.
unknown_campaign as (
    select distinct platform, campaign_name
    from judged
    where has_campaign and campaign_resolution = 'unresolved'
),

lookalike as (
    select
        unknown_campaign.platform,
        unknown_campaign.campaign_name,
        campaign.campaign_key,
        campaign.campaign_name as meant,
        levenshtein(
            {{ campaign_alias_text('unknown_campaign.campaign_name') }},
            {{ campaign_alias_text('campaign.campaign_name') }}
        ) as slips
    from unknown_campaign
    inner join campaign
        on unknown_campaign.platform = campaign.platform or unknown_campaign.platform = '*'
),

campaign_slip as (
    select
        *,
        row_number() over (
            partition by platform, campaign_name order by slips, meant, campaign_key
        ) as place,
        row_number() over (
            partition by campaign_key order by slips, campaign_name
        ) as place_of_campaign
    from lookalike
    where slips <= {{ slips_max('meant') }}
),

tag_finding as (
    select
        'misspelt medium' as finding, source, medium,
        cast(null as text) as campaign_name, cast(null as text) as click_id_type,
        cast(null as text) as platform, medium_slip.meant as suggestion,
        first_date, last_date, session_count, conversion_count
    from judged
    inner join medium_slip on judged.medium = medium_slip.value
    where has_medium and not is_known_medium and not is_unfilled

    union all

    select
        'unknown medium', source, medium, null, null, null, null, first_date, last_date,
        session_count, conversion_count
    from judged
    left anti join medium_slip on judged.medium = medium_slip.value
    where has_medium and not is_known_medium and not is_unfilled

    union all

    select
        'misspelt source', source, medium, null, null, null, source_slip.meant, first_date,
        last_date, session_count, conversion_count
    from judged
    inner join source_slip on judged.source = source_slip.value
    where has_source and not is_known_source and not is_unfilled

    union all

    select
        'paid medium on unlisted source', source, medium, null, null, null, null, first_date,
        last_date, session_count, conversion_count
    from judged
    left anti join source_slip on judged.source = source_slip.value
    where has_source and channel = 'Paid Other' and not is_unfilled

    union all

    select
        case
            when not has_source then 'no source'
            when not has_medium then 'no medium'
            else 'no campaign'
        end, source, medium,
        case when has_campaign then campaign_name end, null, null, null, first_date, last_date,
        session_count, conversion_count
    from judged
    where
        source_resolution = 'utm' and not is_unfilled
        and (not has_source or not has_medium or (is_paid and not has_campaign))

    union all

    select
        'template not filled in', source, medium, campaign_name, null, null, null, first_date,
        last_date, session_count, conversion_count
    from judged
    where is_unfilled

    union all

    select
        'campaign that no platform knows', judged.source, judged.medium, judged.campaign_name,
        null, nullif(judged.platform, '*'), campaign_slip.meant, judged.first_date,
        judged.last_date, judged.session_count, judged.conversion_count
    from judged
    left join campaign_slip
        on
            judged.platform = campaign_slip.platform
            and judged.campaign_name = campaign_slip.campaign_name
            and campaign_slip.place = 1
    where
        judged.has_campaign and judged.is_paid and judged.campaign_resolution = 'unresolved'
        and not judged.is_unfilled
),

-- Ads that lead to a page without tags, where the click report does not tell the campaign either.
untagged as (
    select
        'paid landing page without tags' as finding,
        source, medium, page.page_address as landing_page, click_id_type,
        nullif(platform, '*') as platform,
        min(reporting_date) as first_date, max(reporting_date) as last_date,
        count(*) as session_count, sum(conversion_count) as conversion_count
    from session
    inner join {{ ref('dim_page') }} as page on session.landing_page_key = page.page_key
    where
        source_resolution = 'click_id' and campaign_name like '(%' and utm_id is null
        and campaign_resolution <> 'click_id'
    group by source, medium, page.page_address, click_id_type, platform

    union all

    -- A click id that stands on posts too: an ad or not, nobody can tell without tags.
    select
        'click id without tags', source, medium, page.page_address, click_id_type,
        nullif(platform, '*'), min(reporting_date), max(reporting_date), count(*),
        sum(conversion_count)
    from session
    inner join {{ ref('dim_page') }} as page on session.landing_page_key = page.page_key
    where source_resolution = 'referrer' and click_id is not null
    group by source, medium, page.page_address, click_id_type, platform
),

-- One value written in several ways: other tools show as many rows.
sent as (
    select part_value['part'] as part, btrim(part_value['value']) as value, event_count, event_date
    from (
        select
            unnest(make_array(
                named_struct('part', 'source', 'value', utm_source),
                named_struct('part', 'medium', 'value', utm_medium),
                named_struct('part', 'campaign', 'value', utm_campaign)
            )) as part_value,
            event_count,
            event_date
        from {{ ref('int_utm_tag_day') }}
    )
),

written as (
    select
        part, value, sum(event_count) as event_count, min(event_date) as first_date,
        max(event_date) as last_date
    from sent
    where value <> ''
    group by part, value
),

ranked as (
    select
        *,
        row_number() over (
            partition by part, lower(value) order by event_count desc, value
        ) as place
    from written
),

variant as (
    select
        part,
        lower(value) as value,
        count(*) as variant_count,
        string_agg(value, ', ' order by value) as variants,
        max(case when place = 1 then value end) as usual,
        min(first_date) as first_date,
        max(last_date) as last_date
    from ranked
    group by part, lower(value)
    having count(*) > 1
),

visit as (
    select part_value['part'] as part, part_value['value'] as value, session_count, conversion_count
    from (
        select
            unnest(make_array(
                named_struct('part', 'source', 'value', source),
                named_struct('part', 'medium', 'value', medium),
                named_struct('part', 'campaign', 'value', lower(campaign_name))
            )) as part_value,
            session_count,
            conversion_count
        from tag
    )
),

visits as (
    select
        part, value, sum(session_count) as session_count,
        sum(conversion_count) as conversion_count
    from visit
    group by part, value
),

-- Money of campaigns that nobody was seen to come from, on days on which visits were recorded.
seen_days as (
    select min(reporting_date) as first_date, max(reporting_date) as last_date from session
),

visited as (
    select campaign_key from session where campaign_key not in (0, -1) group by campaign_key
),

spend as (
    select
        performance.campaign_key,
        performance.currency_code,
        min(performance.report_date) as first_date,
        max(performance.report_date) as last_date,
        sum(performance.spend_amount) as spend_amount,
        sum(performance.spend_reporting_amount) as spend_reporting_amount,
        sum(case when performance.is_partial then 1 else 0 end) as unconverted_rows
    from {{ ref('fct_ad_performance_current') }} as performance
    inner join seen_days
        on
            performance.report_date >= seen_days.first_date
            and performance.report_date <= seen_days.last_date
    left anti join visited on performance.campaign_key = visited.campaign_key
    where performance.is_spend_of_record
    group by performance.campaign_key, performance.currency_code
    having sum(performance.spend_amount) <> 0
),

member as (
    select campaign_key, platform, campaign_name
    from {{ ref('dim_campaign') }}
    where is_current
),

every_finding as (
    select
        finding, source, medium, campaign_name, cast(null as text) as landing_page, click_id_type,
        platform, cast(0 as bigint) as campaign_key, suggestion,
        min(first_date) as first_date, max(last_date) as last_date,
        sum(session_count) as session_count, sum(conversion_count) as conversion_count,
        cast(null as text) as currency_code, cast(null as decimal(18, 6)) as spend_amount,
        cast(null as decimal(18, 6)) as spend_reporting_amount,
        cast(0 as bigint) as unconverted_rows
    from tag_finding
    group by finding, source, medium, campaign_name, click_id_type, platform, suggestion

    union all

    select
        finding, source, medium, null, landing_page, click_id_type, platform, 0, null,
        first_date, last_date, session_count, conversion_count, null, null, null, 0
    from untagged

    union all

    select
        concat(variant.part, ' in several spellings'),
        case when variant.part = 'source' then variant.variants end,
        case when variant.part = 'medium' then variant.variants end,
        case when variant.part = 'campaign' then variant.variants end,
        null, null, null, 0,
        case when variant.part = 'campaign' then variant.usual else variant.value end,
        variant.first_date, variant.last_date, coalesce(visits.session_count, 0),
        coalesce(visits.conversion_count, 0), null, null, null, 0
    from variant
    left join visits on variant.part = visits.part and variant.value = visits.value

    union all

    select
        'spend without visits', null, null, member.campaign_name, null, null, member.platform,
        spend.campaign_key, campaign_slip.campaign_name as suggestion, spend.first_date,
        spend.last_date, 0, 0,
        spend.currency_code, spend.spend_amount, spend.spend_reporting_amount,
        spend.unconverted_rows
    from spend
    left join member on spend.campaign_key = member.campaign_key
    left join campaign_slip
        on
            spend.campaign_key = campaign_slip.campaign_key
            and campaign_slip.place_of_campaign = 1
),

final as (
    select
        finding,
        case
            when finding in (
                'misspelt medium', 'unknown medium', 'misspelt source', 'no medium', 'no source',
                'template not filled in', 'spend without visits'
            ) then 'error'
            when finding like '% in several spellings' or finding = 'click id without tags'
                then 'note'
            else 'warning'
        end as severity,
        source,
        medium,
        campaign_name,
        landing_page,
        click_id_type,
        platform,
        campaign_key,
        suggestion,
        {{ utm_advice('finding', 'suggestion') }} as advice,
        first_date,
        last_date,
        cast(session_count as bigint) as session_count,
        cast(conversion_count as bigint) as conversion_count,
        cast(spend_amount as decimal(18, 6)) as spend_amount,
        currency_code,
        cast(spend_reporting_amount as decimal(18, 6)) as spend_reporting_amount,
        cast(unconverted_rows as bigint) as unconverted_rows,
        unconverted_rows > 0 as is_partial
    from every_finding
)

select * from final
