-- grain: one row per identifier that a HubSpot contact took over from another, or has besides
{{ config(entity='identity_link', rows='many') }}

with contact as (
    select * from {{ source('hubspot', 'contact') }}
),

-- Ids of merged contacts stand as `1;2;3`, in an older property as `1:<milliseconds>;2:<…>`.
merged_contacts as (
    select
        _raw_id,
        id,
        split_part(
            unnest(string_to_array(
                concat_ws(';', property_hs_merged_object_ids, property_hs_calculated_merged_vids),
                ';'
            )),
            ':',
            1
        ) as merged_id
    from contact
),

additional_emails as (
    select
        _raw_id,
        id,
        unnest(string_to_array(property_hs_additional_emails, ';')) as email
    from contact
),

final as (
    select
        _raw_id,
        'contact' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'contact' as b_type,
        concat('{{ source_name }}:', trim(merged_id)) as b_value,
        'crm_merge' as rule
    from merged_contacts
    where trim(merged_id) <> '' and trim(merged_id) <> id
    union all
    select
        _raw_id,
        'contact' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'email' as b_type,
        pii_hash('email', trim(email)) as b_value,
        'crm_email' as rule
    from additional_emails
    where trim(email) <> ''
)

select * from final
