-- grain: one row per end of a pair of identifiers that evidence or a decision names, and source
{{ config(materialized='table', sort=['node_key']) }}

-- Both ways round: a link that comes or goes names both of its ends, and `pair_key` leads from one
-- to the other. So what hangs together can be found without looking at the rest.
with pair as (
    select
        a_node_key as a_key, a_type, b_node_key as b_key, b_type, first_at as linked_at, last_at,
        cast(null as text) as decision
    from {{ ref('int_identity_edge') }}
    where rule <> 'decision'

    union all

    select
        a_key, a_type, b_key, b_type, decided_at as linked_at, {{ no_instant() }} as last_at,
        action as decision
    from {{ ref('int_identity_decision') }}
    where is_valid
),

final as (
    select
        a_key as node_key,
        a_type as node_type,
        b_key as other_key,
        b_type as other_type,
        a_key ^ b_key as pair_key,
        linked_at,
        last_at,
        decision
    from pair

    union all

    select
        b_key as node_key,
        b_type as node_type,
        a_key as other_key,
        a_type as other_type,
        a_key ^ b_key as pair_key,
        linked_at,
        last_at,
        decision
    from pair
    where b_key is not null
)

select * from final
