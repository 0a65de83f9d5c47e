{#- Versions of a member over time (SCD 2). What the rules are: docs/concepts/history.md. -#}

{#- Ends the CTEs of a model that reads statements: the CTE `relation` has rows of `key`, the
    instant `effective_at` from which they hold, and `attributes`. Of several statements of a key
    about one instant the greatest `sequence` (columns, the first decides) is the last word;
    without `sequence` there is only one. `deleted` names a boolean column: a row that says true
    ends the member, and keeps of it what was said before. Equal neighbours collapse, intervals
    are half-open, the first version reaches back to 1970 so that every event finds one, the last
    is current. Gives the CTE `output` with the attributes, effective_from, valid_from, valid_to,
    is_current, version_number and the column that `deleted` names. -#}
{%- macro versions_of(
    relation, key, attributes, output='versions', sequence=none, deleted=none
) -%}
{%- set word = relation ~ '_said' -%}
{{ word }} as (
    select *
    from (
        select
            *,
            {%- if sequence %}
            row_number() over (
                partition by {{ key }}, effective_at
                order by
                    {%- for column in sequence %}
                    {{ column }} desc nulls last{{ ',' if not loop.last }}
                    {%- endfor %}
            ) as place_at_time
            {%- else %}
            1 as place_at_time
            {%- endif %}
        from {{ relation }}
        where {{ key }} is not null and effective_at is not null
    )
    where place_at_time = 1
),
{%- if deleted %}

-- A life begins with each statement that is no deletion; a deletion ends the life before it.
{{ relation }}_life as (
    select
        *,
        coalesce({{ deleted }}, false) as is_end,
        count(case when not coalesce({{ deleted }}, false) then 1 end) over (
            partition by {{ key }}
            order by effective_at
            rows between unbounded preceding and current row
        ) as life,
        count(case when not coalesce({{ deleted }}, false) then 1 end) over (
            partition by {{ key }}
        ) as life_count
    from {{ word }}
),

-- A deletion of what never was does nothing. What is only known as deleted stays known as that.
{{ relation }}_kept as (
    select
        {{ key }},
        effective_at,
        is_end as {{ deleted }}
        {%- for attribute in attributes %},
        case
            when is_end
                then coalesce({{ attribute }}, first_value({{ attribute }}) over of_life)
            else {{ attribute }}
        end as {{ attribute }}
        {%- endfor %}
    from {{ relation }}_life
    where life > 0 or life_count = 0
    window of_life as (
        partition by {{ key }}, life
        order by effective_at
        rows between unbounded preceding and current row
    )
),
{%- endif %}

-- A value is written with its length, so that no two states look alike; null is a state of its own.
{{ relation }}_compared as (
    select
        *,
        lag(state) over (partition by {{ key }} order by effective_at) as previous_state
    from (
        select
            *,
            {% if deleted %}case when {{ deleted }} then '(deleted)' else {% endif %}concat(
                {%- for attribute in attributes %}
                coalesce(concat(
                    cast(character_length(cast({{ attribute }} as text)) as text), ':',
                    cast({{ attribute }} as text)
                ), '-'){{ ',' if not loop.last }}
                {%- endfor %}
            ){% if deleted %} end{% endif %} as state
        from {{ relation ~ '_kept' if deleted else word }}
    )
),

{{ output }} as (
    select
        {{ key }},
        {%- for attribute in attributes %}
        {{ attribute }},
        {%- endfor %}
        {%- if deleted %}
        {{ deleted }},
        {%- endif %}
        effective_at as effective_from,
        case
            when row_number() over by_time = 1 then {{ beginning() }}
            else effective_at
        end as valid_from,
        coalesce(lead(effective_at) over by_time, {{ end_of_time() }}) as valid_to,
        lead(effective_at) over by_time is null as is_current,
        cast(row_number() over by_time as bigint) as version_number
    from {{ relation }}_compared
    where previous_state is null or previous_state <> state
    window by_time as (partition by {{ key }} order by effective_at)
)
{%- endmacro -%}
