-- Functions and look-ups, and empty tables for the rows of the small files.

create or replace macro said(v) as
    case when lower(trim(v)) not in ('', '(not set)', 'null', 'undefined') then trim(v) end;

-- Text as GA4 states it: null where it says that it has none.
create or replace macro stated(v) as nullif(nullif(v, ''), '(not set)');

-- A value that stands where an identifier should, and identifies nobody. None is longer than 15.
create or replace macro is_nobody(v) as
    case
        when length(v) > 15 then translate(v, '0- ', '') = ''
        else translate(v, '0- ', '') = '' or list_contains([
            'null', '(null)', '<null>', 'nil', 'none', '(none)', 'nan', 'na', 'n/a', 'n.a.',
            'undefined', 'unknown', '(unknown)', 'not set', '(not set)', 'not provided',
            '(not provided)', 'anonymous', 'anonymous user', 'guest', 'void', 'empty', 'abc123',
            'true', 'false', '[object object]', 'test', 'redacted', '-1'
        ], lower(trim(v)))
    end;

-- Key of an identifier. Its first four bits are the strength of its type, so that the smallest key
-- of a component is its strongest identifier: 1 user, 2 contact, 4 buyer, 5 email, 6 phone,
-- 7 order, 8 device, 9 cookie.
create or replace macro node(strength, v) as
    case when not is_nobody(v) then (strength::ubigint << 60) | (hash(v) >> 4) end;

-- An e-mail as a keyed hash; plain and hashed ones meet.
create or replace macro email_hash(v) as
    case
        when v is null or trim(v) = ''
            or regexp_matches(
                lower(trim(v)),
                '^(anonymous|guest|test|noreply|no-reply|no\.reply|do-not-reply|donotreply)@'
                || '|^(none|na|null)@'
            ) then null
        when regexp_full_match(trim(v), '[0-9a-fA-F]{64}')
            then sha256('bench' || lower(trim(v)))
        else sha256('bench' || sha256(regexp_replace(lower(trim(v)), '^mailto: *', '')))
    end;

-- A telephone number as digits, with + where it is international, as a keyed hash.
create or replace macro phone_digits(v) as
    regexp_replace(
        regexp_replace(regexp_replace(trim(v), '^[(]?[+]', '00'), '[(]0[)]', ''), '[^0-9]', '', 'g'
    );
create or replace macro phone_hash(v) as
    case
        when length(phone_digits(v)) between 7 and 19
            and not regexp_matches(
                phone_digits(v), '^(00)?(0+|1+|2+|3+|4+|5+|6+|7+|8+|9+|0?123456789?0?)$'
            )
            then sha256('bench' || sha256(regexp_replace(phone_digits(v), '^00', '+')))
    end;

-- An order number as all systems agree on it: trimmed, without a leading #.
create or replace macro order_reference(v) as nullif(ltrim(trim(v), '#'), '');

-- Host of an address in lower case; null where it holds none.
create or replace macro url_host(v) as
    nullif(rtrim(regexp_extract(
        lower(trim(v)), '^(?:[a-z0-9+.-]+:)?//(?:[^/?#\\@]*@)?([^/?#\\:]+)', 1
    ), '.'), '');
create or replace macro without_www(v) as case when v like 'www.%.%' then substr(v, 5) else v end;
create or replace macro is_or_below(host, domain) as
    host = domain or ends_with(host, '.' || domain);
create or replace macro page_address(v) as
    split_part(split_part(replace(replace(v, 'https://', ''), 'http://', ''), '?', 1), '#', 1);

-- The ad platform that a utm_source speaks of; * where it speaks of none.
create or replace macro platform_of_source(v) as
    case
        when lower(v) in ('google', 'google_ads', 'googleads', 'adwords', 'youtube')
            then 'google_ads'
        when lower(v) in ('facebook', 'fb', 'instagram', 'ig', 'meta', 'facebook.com', 'meta_ads',
            'audience_network') then 'meta_ads'
        when lower(v) in ('linkedin', 'linkedin.com', 'li', 'linkedin_ads') then 'linkedin_ads'
        when lower(v) in ('bing', 'microsoft', 'msn', 'microsoft_ads', 'bing_ads')
            then 'microsoft_ads'
        when lower(v) in ('tiktok', 'tiktok_ads', 'tiktok.com') then 'tiktok_ads'
        when lower(v)
            in ('twitter', 'x', 't.co', 'twitter.com', 'x.com', 'twitter_ads', 'x_ads') then 'x_ads'
        when lower(v) in ('pinterest', 'pinterest.com', 'pinterest_ads') then 'pinterest_ads'
        when lower(v) in ('reddit', 'reddit.com', 'reddit_ads') then 'reddit_ads'
        when lower(v) in ('snapchat', 'snapchat.com', 'snap', 'snapchat_ads') then 'snapchat_ads'
        else '*'
    end;
create or replace macro alias_text(v) as
    trim(regexp_replace(lower(v), '[^\p{L}\p{N}]+', '_', 'g'), '_');
-- An instant of a text with an offset, in UTC.
create or replace macro instant(v) as make_timestamp(epoch_us(try_cast(v as timestamptz)));
create or replace macro money(v) as try_cast(v as decimal(18, 6));
create or replace macro truth(v) as
    case
        when lower(trim(v)) in ('true', 't', '1', '1.0', 'yes', 'y') then true
        when lower(trim(v)) in ('false', 'f', '0', '0.0', 'no', 'n') then false
    end;
create or replace macro ratio(a, b) as case when b <> 0 then a::double / b::double end;

create or replace macro seed(path) as table
    from read_csv(path, all_varchar = true, header = true, delim = ',', quote = '"', nullstr = '');

create table channel as
select channel, channel_group, sort_order::int as sort_order
from seed('{seeds}/channel.csv');

create table channel_source as
select lower(source) as source, any_value(lower(category)) as category
from seed('{seeds}/channel_source.csv')
group by lower(source);

create table channel_rule as
select
    row_number() over (order by priority, line) as place,
    channel,
    lower(source_category) as category,
    lower(source) as source,
    lower(medium) as medium,
    lower(campaign) as campaign
from (
    select * replace (priority::int as priority), row_number() over () as line
    from seed('{seeds}/channel_rule.csv')
);

create table click_kind as
select row_number() over (order by decides = 'never', decides = 'without_utm', line) as place, *
from (
    select *, row_number() over () as line
    from seed('{seeds}/click_id.csv')
);
set variable click_names = (select list(parameter order by place) from click_kind);

create table referrer_host as
select
    case
        when host like '*.%' then 'below'
        when host like '%.*' then 'any ending'
        else 'exact'
    end as kind,
    case
        when host like '*.%' then substr(host, 3)
        when host like '%.*' then substr(host, 1, length(host) - 2)
        else without_www(host)
    end as host,
    arg_max(lower(source), line) as source,
    arg_max(lower(medium), line) as medium
from (
    select lower(trim(host)) as host, source, medium, row_number() over () as line
    from seed('{seeds}/referrer_host.csv')
)
group by 1, 2;

create table bot_pattern as
select pattern, match
from seed('{seeds}/bot_pattern.csv');

-- The decoded value of a parameter, of the names and values of a query.
create or replace macro query_value(names, vals, name) as
    said(url_decode(replace(vals[list_position(names, name)], '+', ' ')));

-- A condition of a channel rule: absent, a list of values, or ~ and a pattern.
create or replace macro rule_holds(condition, v) as
    condition is null
    or case
        when starts_with(condition, '~')
            then regexp_full_match(v, trim(substr(condition, 2)), 'is')
        else list_contains(string_split(condition, '|'), v)
    end;

-- An amount in the reporting currency.
create or replace macro reporting(amount, rate) as
    (amount::decimal(26, 6) * rate)::decimal(18, 6);
