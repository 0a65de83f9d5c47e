-- grain: one row per version of a company, as a group call tells it
{{ config(entity='account') }}

with groups as (
    select * from {{ source('segment', 'groups') }}
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
