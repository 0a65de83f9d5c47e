{#- Files that people download from the page of an ad platform: numbers and days as the person's
    language writes them, rows that are sums of others, lines behind the last row. -#}

{#- Words with which the rows of totals begin, in lower case. -#}
{%- macro total_words() -%}
{{ "grand total|total|totals|totale|totali|totaal|totalt|totaux|gesamt|gesamtsumme" }}
{{- "|gesamtergebnis|summe|suma|somme|итого|всего|łącznie|razem|összesen|yhteensä|toplam" }}
{{- "|合計|总计|總計|합계|총계" }}
{%- endmacro -%}

{#- Whether a text begins with such a word. -#}
{%- macro is_total(text) -%}
regexp_like(lower({{ text }}), '^[^\p{L}]*({{ total_words() }})([^\p{L}]|$)')
{%- endmacro -%}

{#- An id without what a page puts round it, for spreadsheets: [123], ="123". -#}
{%- macro bare_code(column) -%}
nullif(btrim(translate({{ column }}, '[]=''"', '')), '')
{%- endmacro -%}

{#- The decimal sign of a file: the one that the project states, else the one that most of its
    numbers give away (`_signs`), else `?`. It needs the window `in_file`. -#}
{%- macro decimal_of_file(stream) -%}
{%- set streams = source_settings.streams -%}
{%- set stated = streams[stream].decimal if stream in streams else none -%}
{%- if stated -%}
'{{ stated }}'
{%- else -%}
case
            when sum(length(replace(_signs, '.', ''))) over in_file
                > sum(length(replace(_signs, ',', ''))) over in_file then ','
            when sum(length(replace(_signs, '.', ''))) over in_file
                < sum(length(replace(_signs, ',', ''))) over in_file then '.'
            else '?'
        end
{%- endif -%}
{%- endmacro -%}

{#- Whether two times begin and end one day: 00:00 to 23:59, or to the next midnight. -#}
{%- macro is_one_day(starts, ends) -%}
{%- set first = 'to_day(iso_day(' ~ starts ~ ', _day_order))' -%}
{%- set last = 'to_day(iso_day(' ~ ends ~ ', _day_order))' -%}
{{ first }} = {{ last }}
                    or (
                        regexp_like({{ ends }}, '[T ]0?0:00(:00([.]0+)?)?([^0-9:]|$)')
                        and {{ first }} + interval '1 day' = {{ last }}
                    )
{%- endmacro -%}

{#- The currency that the source is said to have, as a literal. -#}
{%- macro stated_currency() -%}
{{ "'" ~ source_settings.currency ~ "'" if source_settings.currency else 'cast(null as text)' }}
{%- endmacro -%}

{#- CTEs that give the rows of stream `report` of a kind what its file says of itself:
    `_decimal`: the decimal sign, by the numbers of the whole file (the project's setting wins);
    `_day`: the day as text, of the column `day`, or of `starts` where the row is of one day;
    `_preamble_currency`: the currency that the lines before the header name;
    `_known_at`: how new the file is, by its last day, unless the project says it.
    The last CTE is `dated`. `day_order` is the one of files that do not give it away. -#}
{%- macro read_download(kind, day_order=none, counts=['impressions', 'clicks'],
    numbers=['spend', 'conversion_value', 'conversions', 'rate', 'average']) -%}
{%- set streams = source_settings.streams -%}
{%- set stated = streams.report.day_order if 'report' in streams else none -%}
report as (
    select * from {{ source(kind, 'report') }}
),

-- What each row gives away of how its file writes numbers and days.
hinted as (
    select
        *,
        concat(
            {%- for column in counts %}
            decimal_sign({{ column }}, 'count'){{ ',' if numbers or not loop.last }}
            {%- endfor %}
            {%- for column in numbers %}
            decimal_sign({{ column }}){{ ',' if not loop.last }}
            {%- endfor %}
        ) as _signs,
        coalesce(day_order(day), day_order(starts), day_order(ends)) as _order
    from report
),

-- The file as a whole: the sign that most of its numbers have; an order that no day contradicts.
written as (
    select
        *,
        {{ decimal_of_file('report') }} as _decimal,
        {%- if stated %}
        '{{ stated }}' as _day_order,
        {%- else %}
        case
            when min(_order) over in_file = max(_order) over in_file
                then min(_order) over in_file
            when min(_order) over in_file is not null then null
            when regexp_like(_preamble, '(^|[^0-9])[0-9]{1,2}/(1[3-9]|2[0-9]|3[01])/[0-9]{4}')
                then 'mdy'
            when regexp_like(_preamble, '(^|[^0-9])(1[3-9]|2[0-9]|3[01])/[0-9]{1,2}/[0-9]{4}')
                then 'dmy'
            else {{ "'" ~ day_order ~ "'" if day_order else 'cast(null as text)' }}
        end as _day_order,
        {%- endif %}
        count(day) over in_file > 0 as _has_days
    from hinted
    window in_file as (partition by _file_id)
),

-- A row of several days is of none.
with_day as (
    select
        *,
        iso_day(
            case
                when _has_days then day
                when ends is null or starts = ends then starts
                when {{ is_one_day('starts', 'ends') }} then starts
            end,
            _day_order
        ) as _day
    from written
),

dated as (
    select
        *,
        coalesce(
            _effective_at,
            arrow_cast(
                max(to_day(_day)) over (partition by _file_id),
                'Timestamp(Microsecond, Some("UTC"))'
            )
        ) as _known_at,
        -- Some pages say the currency above the table: `Currency: EUR`.
        regexp_match(
            _preamble,
            '(Currency|Währung|Devise|Moneda|Divisa|Valuta)[":,;\s]+([A-Z]{3})([^A-Za-z]|$)'
        )[2] as _preamble_currency
    from with_day
)
{%- endmacro -%}

{#- A report of an ad platform as rows of ad_performance, behind `with`; the last CTE is `counted`.
    Its members go by their ids; without them by their names, an ad group's below its campaign's,
    since those of two campaigns are often called alike. An account that nothing names goes by its
    currency, of which every account has one, so that no two currencies are added. `parts`: what
    else of this kind splits its rows, as segment_of takes it. -#}
{%- macro ad_download(kind, day_order=none, parts=[]) -%}
{{ read_download(kind, day_order) }},

identified as (
    select
        *,
        coalesce(
            translate({{ bare_code('account_id') }}, '-', ''),
            account_name,
            'account in ' || upper(coalesce(currency, _heading_currency, _preamble_currency))
        ) as _account_id,
        {{ bare_code('campaign_id') }} as _campaign_id,
        {{ bare_code('ad_group_id') }} as _ad_group_id,
        {{ bare_code('ad_id') }} as _ad_id,
        coalesce(
            campaign_id, campaign_name, ad_group_id, ad_group_name, ad_id, ad_name
        ) as _named,
        to_day(_day) is not null as _is_dated
    from dated
),

placed as (
    select
        *,
        count(_named) over in_file > 0 as _has_names,
        count(coalesce(_named, case when _is_dated then 'dated' end)) over in_file > 0
            and count(coalesce(impressions, clicks, spend)) over in_file > 0 as _is_understood,
        case
            when count(search_term) over in_file > 0 then 'search_term'
            when count(keyword) over in_file > 0 then 'keyword'
            when count(coalesce(ad_id, ad_name)) over in_file > 0 then 'ad'
            when count(coalesce(ad_group_id, ad_group_name)) over in_file > 0 then 'ad_group'
            when count(_named) over in_file > 0 then 'campaign'
            else 'account'
        end as _level
    from identified
    window in_file as (partition by _file_id)
),

-- Sums of other rows and lines behind the last one are no rows: those without any figure, those
-- that name no member where others do, and those that are of no day and say that they are a total.
-- A file without any figure, or with neither a day nor a name, was not understood: its rows stay,
-- and are in quarantine, because they lack a day.
own_row as (
    select
        *,
        coalesce(_campaign_id, campaign_name) as _campaign_key,
        coalesce(
            _ad_group_id,
            case
                when ad_group_name is not null
                    then concat_ws(' / ', coalesce(_campaign_id, campaign_name), ad_group_name)
            end
        ) as _ad_group_key
    from placed
    where
        not _is_understood
        or (
            coalesce(impressions, clicks, spend) is not null
            and (_named is not null or not _has_names)
            and (_named is not null or _is_dated)
            and (
                _is_dated
                or not (
                    coalesce({{ is_total('coalesce(day, starts)') }}, false)
                    or coalesce({{ is_total('account_name') }}, false)
                    or coalesce({{ is_total('campaign_name') }}, false)
                    or coalesce({{ is_total('ad_group_name') }}, false)
                    or coalesce({{ is_total('keyword') }}, false)
                    or coalesce({{ is_total('search_term') }}, false)
                )
            )
        )
),

keyed as (
    select
        *,
        coalesce(
            _ad_id,
            case
                when ad_name is not null
                    then concat_ws(' / ', coalesce(_ad_group_key, _campaign_key), ad_name)
            end
        ) as _ad_key,
        {{ segment_of([
            ['network', 'network'], ['device', 'device'], ['keyword', 'keyword'],
            ['match', 'match_type'], ['search_term', 'search_term'],
        ] + parts) }} as _segment
    from own_row
),

-- A column that splits the rows further and is not known here makes several rows of one key: each
-- is a part of it. The same line twice is one row.
counted as (
    select
        *,
        dense_rank() over (
            partition by
                _file_id, _day, _account_id, _campaign_key, _ad_group_key, _ad_key,
                _segment
            order by _row_hash
        ) as _part
    from keyed
)
{%- endmacro -%}

{#- The columns of ad_performance from `counted`. -#}
{%- macro ad_download_columns(platform, clicks='clicks') -%}
_raw_id,
        _day as report_date,
        '{{ platform }}' as platform,
        _account_id as account_id,
        account_name,
        _level as level,
        _campaign_key as campaign_id,
        campaign_name,
        _ad_group_key as ad_group_id,
        ad_group_name,
        _ad_key as ad_id,
        ad_name,
        nullif(
            concat_ws('|', _segment, case when _part > 1 then 'part=' || cast(_part as text) end),
            ''
        ) as segment,
        impressions,
        {{ clicks }} as clicks,
        spend as spend_amount,
        coalesce(currency, _heading_currency, _preamble_currency) as currency_code,
        conversions as platform_conversions,
        conversion_value as platform_conversion_amount,
        network,
        device,
        keyword as keyword_text,
        match_type,
        search_term,
        _known_at as effective_at,
        _decimal
{%- endmacro -%}
