-- grain: one row per person
{{ config(entity='contact') }}

with given as (
    select * from {{ source('crm', 'people') }}
),

final as (
    select
        _raw_id,
        id as contact_id,
        created as created_at,
        ga as client_id,
        gclid,
        hutk as tracking_cookie,
        site_user as user_id
    from given
)

select * from final
