-- grain: one row per version of a role of users
-- It promises no entity: it names what users refer to.
{{ config(materialized='table', rows='one') }}

with user_role as (
    select * from {{ source('salesforce', 'user_role') }}
),

final as (
    select
        _raw_id,
        id as role_id,
        name as role_name,
        developer_name,
        parent_role_id,
        _fivetran_deleted as is_deleted,
        _fivetran_active as is_current_version,
        _fivetran_synced as synced_at
    from user_role
)

select * from final
