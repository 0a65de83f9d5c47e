-- grain: one row per identifier, with the component of evidence it belongs to
{{ config(materialized='table', sort=['node_key']) }}

with linked as (
    select
        node_key,
        node_type,
        first_at,
        degree,
        guard,
        component_key,
        component_size
    from connected_components((
        select
            a_node_key as a_key,
            a_type,
            b_node_key as b_key,
            b_type,
            first_at as linked_at,
            cast(null as text) as a_source
        from {{ ref('int_identity_edge') }}

        union all

        select
            node_key as a_key,
            node_type as a_type,
            cast(null as bigint) as b_key,
            cast(null as text) as b_type,
            first_at as linked_at,
            -- Two contacts of one CRM are two people; one of each of two may be one.
            case
                when node_type in ('contact', 'lead', 'buyer') then split_part(node_value, ':', 1)
            end
                as a_source
        from {{ ref('int_identity_node_seen') }}
    ))
)

select * from linked
