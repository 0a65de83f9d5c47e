-- grain: one row per list of contacts
-- It promises no entity: it names what memberships refer to.
{{ config(materialized='table', rows='one') }}

with contact_list as (
    select * from {{ source('hubspot', 'contact_list') }}
),

final as (
    select
        _raw_id,
        id as list_id,
        name as list_name,
        processing_type as list_type,
        created_at,
        updated_at,
        _fivetran_deleted as is_deleted
    from contact_list
)

select * from final
