-- grain: one row per lead that became a contact or was merged, and per further address of a lead
{{ config(entity='identity_link', rows='many') }}

with lead as (
    select * from {{ source('salesforce', 'lead') }}
),

-- A merge deletes the record that gives way; it names the one that stayed.
final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        'lead' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'contact' as b_type,
        concat('{{ source_name }}:', converted_contact_id) as b_value,
        converted_date as linked_at,
        'crm_conversion' as rule
    from lead
    where converted_contact_id is not null
    union all
    select
        _raw_id,
        _fivetran_start as effective_at,
        'lead' as a_type,
        concat('{{ source_name }}:', master_record_id) as a_value,
        'lead' as b_type,
        concat('{{ source_name }}:', id) as b_value,
        cast(null as text) as linked_at,
        'crm_merge' as rule
    from lead
    where master_record_id is not null and master_record_id <> id
    union all
    -- The telephone beside the mobile phone that the lead itself is known by.
    select
        _raw_id,
        _fivetran_start as effective_at,
        'lead' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'phone' as b_type,
        pii_hash('phone', trim(phone)) as b_value,
        cast(null as text) as linked_at,
        'crm_phone' as rule
    from lead
    where
        trim(phone) <> ''
        and trim(mobile_phone) <> ''
        and not is_blocked_identifier('phone', trim(phone))
    union all
    select
        _raw_id,
        _fivetran_start as effective_at,
        'lead' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'email' as b_type,
        pii_hash(
            'email',
            trim(coalesce(secondary_email_c, secondary_email__c, email_2_c, email_2__c))
        ) as b_value,
        cast(null as text) as linked_at,
        'crm_email' as rule
    from lead
    where
        trim(coalesce(secondary_email_c, secondary_email__c, email_2_c, email_2__c)) <> ''
        and not is_blocked_identifier(
            'email',
            trim(coalesce(secondary_email_c, secondary_email__c, email_2_c, email_2__c))
        )
)

select * from final
