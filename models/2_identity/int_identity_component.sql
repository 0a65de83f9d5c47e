-- grain: one row per identifier, with the component of evidence it belongs to
{{ config(
    materialized='incremental',
    incremental_strategy='replace_key',
    unique_key='node_key',
    key_groups={'int_identity_link': 'pair_key'},
    sort=['node_key']
) }}

-- What hangs together with an identifier that changed is found anew, and nothing else.
with linked as (
    select
        node_key,
        node_type,
        first_at,
        degree,
        guard,
        -- What was erased and not seen since is nobody's.
        case when guard is not null and guard = 'erased' then 0 else component_key end
            as component_key,
        component_size,
        erased_at
    from connected_components((
        select
            node_key as a_key,
            node_type as a_type,
            other_key as b_key,
            other_type as b_type,
            linked_at,
            last_at,
            cast(null as text) as a_source,
            decision
        from {{ ref('int_identity_link') }}

        union all

        select
            node_key as a_key,
            node_type as a_type,
            cast(null as bigint) as b_key,
            cast(null as text) as b_type,
            first_at as linked_at,
            last_at,
            -- Two contacts of one CRM are two people; one of each of two may be one.
            case
                when node_type in ('contact', 'lead', 'buyer') then split_part(node_value, ':', 1)
            end
                as a_source,
            cast(null as text) as decision
        from {{ ref('int_identity_node_seen') }}
    ))
)

select * from linked
