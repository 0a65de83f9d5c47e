{#- Days. Weeks begin where the project says. -#}

{#- First day of the week of a day. -#}
{%- macro week_of(date) -%}
{% if project.reporting.week_start == 'sunday' -%}
cast(date_trunc('week', {{ date }} + interval '1 day') - interval '1 day' as date)
{%- else -%}
cast(date_trunc('week', {{ date }}) as date)
{%- endif %}
{%- endmacro -%}
