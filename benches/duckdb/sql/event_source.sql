-- Where the visitor came from, for every event that may bring a new source: one with tags, a click
-- id or a referrer of another host.
with candidate as (
    select
        event_hash, page_url, referrer_url, ignore_referrer, utm_source, utm_medium, utm_campaign,
        utm_term, utm_content, utm_id, gclid
    from fresh_event
    where
        utm_source is not null
        or utm_medium is not null
        or utm_campaign is not null
        or gclid is not null
        or contains(page_url, 'utm_')
        or contains(page_url, 'clid=')
        or contains(page_url, 'li_fat_id=')
        or split_part(referrer_url, '/', 3) <> coalesce(split_part(page_url, '/', 3), '')
),

-- The events of a landing page say the same: each distinct visit is judged once.
visit as (
    select * exclude (event_hash), list(event_hash) as event_hashes from candidate group by all
),

parsed as (
    select
        *,
        string_split(replace(regexp_extract(page_url, '\?([^#]*)', 1), '&amp;', '&'), '&') as pairs,
        split_part(referrer_url, '/', 3) as referrer_host,
        without_www(url_host(referrer_url)) as host,
        without_www(url_host(page_url)) as page_host
    from visit
),

-- Names and values of the page's query, side by side.
named as (
    select
        *,
        list_transform(pairs, lambda pair: lower(split_part(pair, '=', 1))) as names,
        list_transform(pairs, lambda pair: split_part(pair, '=', 2)) as vals
    from parsed
),

given as (
    select
        *,
        lower(coalesce(said(utm_source), query_value(names, vals, 'utm_source'))) as given_source,
        lower(coalesce(said(utm_medium), query_value(names, vals, 'utm_medium'))) as given_medium,
        coalesce(said(utm_campaign), query_value(names, vals, 'utm_campaign')) as given_campaign,
        coalesce(said(utm_term), query_value(names, vals, 'utm_term')) as term,
        coalesce(said(utm_content), query_value(names, vals, 'utm_content')) as content,
        coalesce(utm_id, query_value(names, vals, 'utm_id')) as id,
        case when said(gclid) is not null then 1 end as gclid_place,
        case
            when list_has_any(names, getvariable('click_names'))
                then list_min(list_filter(list_transform(
                    pairs,
                    lambda pair, i: {
                        'place': list_position(getvariable('click_names'), names[i]),
                        'value': said(url_decode(vals[i]))
                    }
                ), lambda click:
                    click.place is not null
                    and click.value is not null
                    and substr(click.value, 1, 1) not in ('{', '[', '%', '$', '<')
                ))
        end as click
    from named
),

clicked as (
    select
        given.* replace (
            case when given_source = '(direct)' then null else given_source end as given_source,
            case when given_source = '(direct)' then null else given_medium end as given_medium,
            case when given_source = '(direct)' then null else given_campaign end as given_campaign
        ),
        case when gclid_place is not null then said(gclid) else click.value end as click_id,
        coalesce(gclid_place, click.place) as click_place,
        coalesce(given.given_source, given.given_medium, given.given_campaign) is not null
        and coalesce(given.given_source, '') <> '(direct)' as has_utm
    from given
),

-- The few distinct hosts find what they mean once.
host as (
    select distinct host as name from parsed where host is not null
    union
    select distinct without_www(given_source) from clicked
    where given_source is not null and given_medium is null
),

host_part as (
    select
        name,
        unnest(list_transform(
            generate_series(1, length(name) - length(replace(name, '.', '')) + 1),
            lambda i: {
                'skipped': i - 1,
                'part': array_to_string(string_split(name, '.')[i::int:], '.')
            }
        ), recursive := true)
    from host
),

host_meaning as (
    select name, source, medium
    from (
        select
            host_part.name, referrer_host.source, referrer_host.medium,
            case kind when 'exact' then 0 when 'below' then skipped else 99 end as rank
        from host_part
        inner join referrer_host
            on
                (kind = 'exact' and skipped = 0 and referrer_host.host = part)
                or (kind = 'below' and skipped > 0 and referrer_host.host = part)
        union all
        select host.name, referrer_host.source, referrer_host.medium, 99 as rank
        from host
        inner join referrer_host
            on
                kind = 'any ending'
                and referrer_host.host = regexp_replace(
                    host.name,
                    '([.]com|[.](co|com|org|net|or|ne|ac|edu|gov)[.][a-z][a-z]|[.][a-z][a-z])$', ''
                )
    )
    qualify row_number() over (partition by name order by rank) = 1
),

resolved as (
    select
        event_hashes,
        term,
        content,
        id as utm_id,
        click_id,
        click_kind.parameter as click_id_type,
        referrer_host,
        given_source,
        given_medium,
        given_campaign,
        click_kind.source as click_source,
        click_kind.medium as click_medium,
        click_kind.campaign as click_campaign,
        by_name.source as name_source,
        by_name.medium as name_medium,
        by_host.source as host_source,
        by_host.medium as host_medium,
        host,
        case
            when click_kind.decides = 'over_utm' then 'click_id'
            when click_kind.decides = 'without_utm' and not has_utm then 'click_id'
            when has_utm then 'utm'
            when
                not ignore_referrer
                and host is not null
                and not is_or_below(host, 'paypal.com')
                and not is_or_below(host, 'checkout.stripe.com')
                and not coalesce(
                    is_or_below(host, page_host) or is_or_below(page_host, host), false
                )
                then 'referrer'
        end as resolution
    from clicked
    left join click_kind on clicked.click_place = click_kind.place
    left join host_meaning as by_name
        on
            clicked.given_medium is null
            and without_www(clicked.given_source) = by_name.name
            and by_name.medium = 'ai-assistant'
    left join host_meaning as by_host on clicked.host = by_host.name
),

sourced as (
    select
        event_hashes,
        term,
        content,
        utm_id,
        click_id,
        click_id_type,
        resolution,
        case when resolution is not null then referrer_host end as referrer_host,
        case resolution
            when 'click_id' then lower(click_source)
            when 'utm' then coalesce(name_source, given_source, '(not set)')
            when 'referrer' then coalesce(host_source, host)
        end as source,
        case resolution
            when 'click_id' then lower(click_medium)
            when 'utm' then coalesce(name_medium, given_medium, '(not set)')
            when 'referrer' then coalesce(host_medium, 'referral')
        end as medium,
        case resolution
            when 'click_id' then coalesce(given_campaign, click_campaign, '(not set)')
            when 'utm' then coalesce(given_campaign, '(' || name_medium || ')', '(not set)')
            when 'referrer' then '(' || coalesce(host_medium, 'referral') || ')'
        end as campaign
    from resolved
),

-- The channel rules judge each distinct origin once.
origin as (
    select distinct source, medium, campaign from sourced where resolution is not null
),

judged as (
    select origin.source, origin.medium, origin.campaign, min_by(channel, place) as channel
    from origin
    left join channel_source on lower(trim(origin.source)) = channel_source.source
    inner join channel_rule as rule
        on
            (rule.category is null or rule.category = coalesce(channel_source.category, ''))
            and rule_holds(rule.source, lower(trim(origin.source)))
            and rule_holds(rule.medium, lower(trim(origin.medium)))
            and rule_holds(rule.campaign, lower(trim(origin.campaign)))
    group by origin.source, origin.medium, origin.campaign
)

select
    unnest(event_hashes) as event_hash,
    sourced.* exclude (event_hashes),
    case when resolution is not null then coalesce(judged.channel, 'Unassigned') end as channel
from sourced
left join judged
    on
        sourced.source = judged.source
        and sourced.medium = judged.medium
        and sourced.campaign = judged.campaign
