{#- Versions of a member over time (SCD 2). -#}

{#- Ends the CTEs of a model whose CTE `relation` has one row per `key` and `effective_at` (unique
    together) with `attributes`: equal neighbours collapse, intervals are half-open, the first
    version reaches back to 1970 so that every event finds one, the last one is current. Gives the
    CTE `versions` with valid_from, valid_to, is_current, version_number, effective_from. -#}
{%- macro versions_of(relation, key, attributes, output='versions') -%}
{{ relation }}_compared as (
    select
        *,
        lag(state) over (partition by {{ key }} order by effective_at) as previous_state,
        row_number() over (partition by {{ key }} order by effective_at) as version_place
    from (
        select
            *,
            concat_ws(
                '|'
                {%- for attribute in attributes %},
                coalesce(replace(cast({{ attribute }} as text), '|', '||'), '~null~')
                {%- endfor %}
            ) as state
        from {{ relation }}
    )
),

{{ output }} as (
    select
        {{ key }},
        {%- for attribute in attributes %}
        {{ attribute }},
        {%- endfor %}
        effective_at as effective_from,
        case
            when row_number() over by_time = 1 then {{ beginning() }}
            else effective_at
        end as valid_from,
        coalesce(lead(effective_at) over by_time, {{ end_of_time() }}) as valid_to,
        lead(effective_at) over by_time is null as is_current,
        cast(row_number() over by_time as bigint) as version_number
    from {{ relation }}_compared
    where version_place = 1 or previous_state <> state
    window by_time as (partition by {{ key }} order by effective_at)
)
{%- endmacro -%}
