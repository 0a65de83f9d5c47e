-- grain: one row per deal, company and kind of association, of every version of the deal
-- It promises no entity: the deal itself names its first company. Ids are prefixed as in `deal`.
{{ config(materialized='table', rows='many') }}

with {{ hubspot_api('deals', 'deal', 'deal_link') }},

associations as (
    select
        _raw_id,
        id,
        company['id'] as company_id,
        company['type'] as type
    from (select _raw_id, id, unnest(companies) as company from deal)
    union all
    select
        _raw_id,
        id,
        unnest(company_ids) as company_id,
        cast(null as text) as type
    from deal
),

final as (
    select
        _raw_id,
        '{{ source_name }}:' || id as deal_id,
        '{{ source_name }}:' || company_id as account_id,
        type as role
    from associations
)

select * from final
