{#- Days. Weeks begin where the project says. -#}

{#- First day of the week of a day. -#}
{%- macro week_of(date) -%}
{% if project.reporting.week_start == 'sunday' -%}
cast(date_trunc('week', {{ date }} + interval '1 day') - interval '1 day' as date)
{%- else -%}
cast(date_trunc('week', {{ date }}) as date)
{%- endif %}
{%- endmacro -%}

{#- The zone that `throughline.yml` states for a source; null where it states none. -#}
{%- macro zone_of_source(source_name) -%}
case {{ source_name }}
            {%- for name, source in project.sources | items if source.zone %}
            when '{{ name }}' then '{{ source.zone }}'
            {%- endfor %}
            when '' then ''
        end
{%- endmacro -%}
