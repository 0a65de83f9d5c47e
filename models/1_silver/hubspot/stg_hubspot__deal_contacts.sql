-- grain: one row per deal, contact and kind of association
{{ config(entity='deal_contact') }}

with deal_contact as (
    select * from {{ source('hubspot', 'deal_contact') }}
),

-- HubSpot gives a labelled contact one row for the label and one for the plain association: a pair
-- may stand here twice, with two roles.
final as (
    select
        _raw_id,
        deal_id,
        contact_id,
        coalesce(label, type_id) as role,
        _fivetran_deleted as is_deleted,
        category as role_category
    from deal_contact
)

select * from final
