{#- One period of fitted models as an interval. -#}
{%- macro fit_period_interval() -%}
{%- set period = project.attribution.fitted.period -%}
{%- if period == 'quarter' -%}3 month{%- else -%}1 {{ period }}{%- endif -%}
{%- endmacro -%}

{#- Days of a look-back, or the day on which it begins for a path seen from the period's end. -#}
{%- macro lookback_measure(measure, days) -%}
{%- if measure == 'days' -%}
{{ days }}
{%- else -%}
period_end - interval '{{ days }} day'
{%- endif -%}
{%- endmacro -%}

{#- The same by `conversion_type`, as `attribution.lookback_days` says. -#}
{%- macro lookback_of_type(measure) -%}
{%- set lookback = project.attribution.lookback_days -%}
{%- set rest = lookback_measure(measure, lookback['default'] | default(90)) -%}
{%- set others = lookback | items | rejectattr(0, 'equalto', 'default') | list -%}
{%- if others -%}
case conversion_type
                {%- for name, days in others %}
                when '{{ name }}' then {{ lookback_measure(measure, days) }}
                {%- endfor %}
                else {{ rest }}
            end
{%- else -%}
{{ rest }}
{%- endif -%}
{%- endmacro -%}
