{#- What several silver models share. A macro here turns text into text or into a value of one
    row; it never joins, filters or looks at another row. -#}

{#- Money of a count of millionths, exact. Text that is no number passes through as it is, so that
    the runner quarantines the row and says why, instead of losing the spend in silence. -#}
{%- macro amount_of_micros(column) -%}
coalesce(
            cast(
                try_cast({{ column }} as decimal(20, 0)) * cast('0.000001' as decimal(7, 6)) as text
            ),
            {{ column }}
        )
{%- endmacro -%}

{#- A whole number that a tool wrote with decimals (12345.0), as HubSpot's numbers come. -#}
{%- macro whole(column) -%}
regexp_replace({{ column }}, '[.]0+$', '')
{%- endmacro -%}

{#- A date whose figures could mean two days (3/1/2017): the source's owner knows which it is.
    What is not written so, also what stands behind the date, passes through as it is. -#}
{%- macro month_first(column) -%}
regexp_replace(
            {{ column }}, '^ *([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})', '${3}-${1}-${2}'
        )
{%- endmacro -%}

{%- macro day_first(column) -%}
regexp_replace(
            {{ column }}, '^ *([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})', '${3}-${2}-${1}'
        )
{%- endmacro -%}

{#- What links of an ad carry in a utm tag: read from `queries` (what stands behind `?`), the first
    that has it. Placeholders of the platform (in braces) are no value. -#}
{%- macro tag_of(queries, name) -%}
coalesce(
            {%- for query in queries %}
            regexp_match(
                url_param(concat('https://ad.invalid/?', {{ query }}), '{{ name }}'), '^[^{}]+$'
            )[1]{{ ',' if not loop.last }}
            {%- endfor %}
        )
{%- endmacro -%}

{#- The number behind `name/` in a Google resource name (customers/1/adGroups/23). -#}
{%- macro resource_id(column, name) -%}
regexp_match({{ column }}, '{{ name }}/([0-9]+)')[1]
{%- endmacro -%}

{#- The one value of a GA4 event parameter as text; the first of `keys` that is there. -#}
{%- macro event_param(keys) -%}
{%- if keys is string -%}
kv_text(event['event_params'], '{{ keys }}')
{%- else -%}
first_text(
            {%- for key in keys %}
            kv_text(event['event_params'], '{{ key }}'){{ ',' if not loop.last }}
            {%- endfor %}
        )
{%- endif -%}
{%- endmacro -%}

{#- What else splits a row of a report, as `network=SEARCH|device=MOBILE`; parts that are not there
    are left out. `parts` are pairs of a name and an expression. -#}
{%- macro segment_of(parts) -%}
nullif(
            concat_ws(
                '|'
                {%- for part in parts %},
                '{{ part[0] }}=' || {{ part[1] }}
                {%- endfor %}
            ),
            ''
        )
{%- endmacro -%}

{#- A column under the name that it has with us. -#}
{%- macro as_column(column, name) -%}
{{ column }}{{ ' as ' ~ name if name != column }}
{%- endmacro -%}
