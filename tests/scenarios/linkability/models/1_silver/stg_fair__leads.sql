-- grain: one row per lead from a fair
{{ config(entity='lead') }}

with given as (
    select * from {{ source('fair', 'rows') }}
),

final as (
    select
        _raw_id,
        id as lead_id,
        created as created_at,
        ga as client_id
    from given
)

select * from final
