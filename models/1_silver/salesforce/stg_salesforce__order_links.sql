-- grain: one row per Salesforce order that names the contact who gets the bill
{{ config(entity='identity_link', rows='some') }}

with orders as (
    select * from {{ source('salesforce', 'order') }}
    where bill_to_contact_id is not null and id is not null
),

final as (
    select
        _raw_id,
        _fivetran_start as effective_at,
        'order' as a_type,
        '{{ source_name }}:' || id as a_value,
        'contact' as b_type,
        '{{ source_name }}:' || bill_to_contact_id as b_value,
        created_date as linked_at,
        'crm_order' as rule
    from orders
)

select * from final
