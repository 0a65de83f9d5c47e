-- grain: one row per deal, contact and kind of association, of every version of the deal
{{ config(entity='deal_contact', rows='many') }}

with {{ hubspot_api('deals', 'deal', 'deal_link') }},

associations as (
    select
        _raw_id,
        id as deal_id,
        contact['id'] as contact_id,
        contact['type'] as type
    from (select _raw_id, id, unnest(contacts) as contact from deal)
    union all
    select
        _raw_id,
        id as deal_id,
        unnest(contact_ids) as contact_id,
        cast(null as text) as type
    from deal
),

-- The plain association comes under one name or two; a labelled one besides.
final as (
    select
        _raw_id,
        deal_id,
        contact_id,
        nullif(nullif(type, 'deal_to_contact'), 'deal_to_contact_unlabeled') as role
    from associations
)

select * from final
