-- grain: one row per role of a contact in a Salesforce opportunity
{{ config(entity='deal_contact') }}

with opportunity_contact_role as (
    select * from {{ source('salesforce', 'opportunity_contact_role') }}
),

final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        opportunity_id as deal_id,
        contact_id,
        role,
        -- A role that was taken away again is nobody's first one.
        case
            when lower(is_deleted) in ('true', '1', 't', 'yes') then 'false'
            else is_primary
        end as is_primary,
        created_date as created_at,
        is_deleted
    from opportunity_contact_role
)

select * from final
