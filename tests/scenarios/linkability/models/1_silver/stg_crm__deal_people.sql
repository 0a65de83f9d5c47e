-- grain: one row per person of a deal
{{ config(entity='deal_contact') }}

with given as (
    select * from {{ source('crm', 'deal_people') }}
),

final as (
    select
        _raw_id,
        deal as deal_id,
        person as contact_id
    from given
)

select * from final
