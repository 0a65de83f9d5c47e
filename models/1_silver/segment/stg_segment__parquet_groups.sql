-- grain: one row per version of a company, as a group call tells it (Parquet or JSON lines)
{{ config(entity='account') }}
{%- set columns = [
    'group_id', 'name', 'website', 'industry', 'employees', 'plan', 'created_at',
    'address_country', 'address_state', 'address_city',
] %}

with received as (
    select
        _raw_id,
        from_json(payload, 'struct<{{ columns | join(": text, ") }}: text>') as call
    from {{ source('segment', 'groups_parquet') }}
),

groups as (
    select
        _raw_id
        {%- for column in columns %},
        call['{{ column }}'] as "{{ column }}"
        {%- endfor %}
    from received
),

final as (
    select
        _raw_id,
        group_id as account_id,
        name as account_name,
        regexp_replace(lower(url_host(website)), '^www[.]', '') as domain,
        industry,
        -- A range such as 100-500 is no number.
        to_integer({{ whole('employees') }}) as employee_count,
        address_country as country,
        address_city as city,
        created_at,
        address_state as region,
        plan
    from groups
)

select * from final
