-- grain: one row per pair of contacts or leads that are probably one person
{{ config(materialized='view') }}

with link as (
    select * from {{ ref('int_probable_link') }}
),

-- What was erased and not seen since is nobody's, and nobody is to be looked for behind it.
component as (
    select node_key, component_key
    from {{ ref('int_identity_component') }}
    where node_type in ('contact', 'lead') and component_key <> 0
),

final as (
    select
        link.a_id,
        link.a_type,
        a_component.component_key as a_customer_key,
        link.b_id,
        link.b_type,
        b_component.component_key as b_customer_key,
        a_component.component_key = b_component.component_key as is_one_customer,
        link.a_source_name = link.b_source_name as is_within_source,
        link.match_weight,
        link.match_probability,
        link.agreement,
        link.blocking_rule
    from link
    inner join component as a_component on link.a_key = a_component.node_key
    inner join component as b_component on link.b_key = b_component.node_key
)

select * from final
