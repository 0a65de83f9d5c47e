-- grain: one row per contact and list that it was put on
{{ config(entity='activity') }}

with contact_list_member as (
    select * from {{ source('hubspot', 'contact_list_member') }}
),

final as (
    select
        _raw_id,
        'list-' || contact_list_id || '-' || contact_id as activity_id,
        added_at as activity_at,
        'list' as activity_type,
        contact_id,
        false as is_touchpoint,
        contact_list_id as list_id,
        _fivetran_deleted as is_deleted
    from contact_list_member
)

select * from final
