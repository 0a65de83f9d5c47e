{#- Spend set against what it brought. A ratio is never added or averaged: sum its parts over
    whatever you group by, and take these again. -#}

{#- What a unit of something cost; null where nothing was spent, and where there is none of it. -#}
{%- macro cost_ratio(spend, count) -%}
case
        when {{ spend }} <> 0 and {{ count }} <> 0
            then cast({{ spend }} as double) / cast({{ count }} as double)
    end
{%- endmacro -%}

{#- The ratios of worth from sums in columns of their usual names. Null without spend. -#}
{%- macro worth_ratios() -%}
{{ ratio('revenue_reporting_amount', 'spend_reporting_amount') }} as roas,
        {{ ratio('net_revenue_reporting_amount', 'spend_reporting_amount') }} as net_roas,
        {{ cost_ratio('spend_reporting_amount', 'sales') }} as cpa,
        {{ cost_ratio('spend_reporting_amount', 'leads') }} as cost_per_lead,
        {{ cost_ratio('acquisition_spend_reporting_amount', 'new_customers') }} as cac
{%- endmacro -%}

{#- The longest look-back of the project, in days. -#}
{%- macro longest_lookback() -%}
{%- set longest = namespace(days=0) -%}
{%- for type, days in project.attribution.lookback_days | items -%}
{%- if days > longest.days -%}{%- set longest.days = days -%}{%- endif -%}
{%- endfor -%}
{{- longest.days -}}
{%- endmacro -%}

{#- A day some months later; the last of the month where it has no such day. -#}
{%- macro months_later(date, months) -%}
cast({{ date }} + cast(concat({{ months }}, ' months') as interval) as date)
{%- endmacro -%}

{#- Whole months from one day to another, as `months_later` counts them. -#}
{%- macro months_between(since, date) -%}
{%- set calendar -%}
cast(
                (date_part('year', {{ date }}) - date_part('year', {{ since }})) * 12
                + date_part('month', {{ date }}) - date_part('month', {{ since }}) as bigint
            )
{%- endset -%}
{{ calendar }}
            - case
                when {{ months_later(since, calendar) }} > {{ date }} then 1 else 0
            end
{%- endmacro -%}

{#- Does this spend seek new customers? What keeps old ones is named by the project: channels, and
    patterns of campaigns' names. -#}
{%- macro is_acquisition(channel, campaign_name) -%}
{%- set channels = var('retention_channels', []) -%}
{%- set campaigns = var('retention_campaigns', []) -%}
not (
            false
            {%- for name in channels %}
            or coalesce(lower({{ channel }}) = lower('{{ name | replace("'", "''") }}'), false)
            {%- endfor %}
            {%- for pattern in campaigns %}
            or coalesce(
                lower({{ campaign_name }}) like lower('{{ pattern | replace("'", "''") }}'), false
            )
            {%- endfor %}
        )
{%- endmacro -%}

{#- Days after a click within which a platform counts, by the name of its window, else by
    `platform_windows`; null where nobody says. -#}
{%- macro window_days(platform, attribution_window) -%}
coalesce(
            cast(regexp_match({{ attribution_window }}, '([0-9]+)d_click')[1] as bigint),
            case {{ platform }}
                {%- for name, days in var('platform_windows', {}) | items %}
                when '{{ name }}' then {{ days }}
                {%- endfor %}
                when '' then 0
            end
        )
{%- endmacro -%}

{#- Does a platform date its claims by the click? Else by the conversion. -#}
{%- macro is_dated_by_click(platform, date_basis) -%}
coalesce(
            {{ date_basis }} = 'click',
            case {{ platform }}
                {%- for name, basis in var('platform_dates', {}) | items %}
                when '{{ name }}' then {{ 'true' if basis == 'click' else 'false' }}
                {%- endfor %}
                when '' then false
            end,
            false
        )
{%- endmacro -%}
