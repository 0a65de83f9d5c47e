-- grain: one row per deal and contact of an export of HubSpot's pages
{{ config(entity='deal_contact', rows='many') }}

with {{ hubspot_exported('deal_export', 'deal', 'deal') }},

contact_ids as (
    select
        _raw_id,
        id as deal_id,
        unnest(string_to_array(contact_ids, ';')) as contact_id
    from deal
),

final as (
    select
        _raw_id,
        deal_id,
        trim(contact_id) as contact_id
    from contact_ids
    where trim(contact_id) <> ''
)

select * from final
