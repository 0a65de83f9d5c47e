-- grain: one row per version of a person of the company who uses Salesforce
-- It promises no entity: it says what the owners of records are. Names and addresses stay in raw.
{{ config(materialized='table', rows='one') }}

with users as (
    select * from {{ source('salesforce', 'user') }}
),

final as (
    select
        _raw_id,
        id as owner_id,
        user_role_id as role_id,
        manager_id,
        profile_id,
        title as job_title,
        department,
        division,
        user_type,
        country,
        time_zone_sid_key as zone,
        is_active,
        _fivetran_deleted as is_deleted,
        _fivetran_active as is_current_version,
        _fivetran_synced as synced_at
    from users
)

select * from final
