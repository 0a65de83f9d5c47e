-- grain: one row per merge of two HubSpot contacts
{{ config(entity='identity_link') }}

with contact_merge_audit as (
    select * from {{ source('hubspot', 'contact_merge_audit') }}
),

final as (
    select
        _raw_id,
        'contact' as a_type,
        '{{ source_name }}:' || coalesce(canonical_vid, contact_id) as a_value,
        'contact' as b_type,
        '{{ source_name }}:' || vid_to_merge as b_value,
        timestamp as linked_at,
        'crm_merge' as rule
    from contact_merge_audit
)

select * from final
