-- grain: one row per decision about identifiers that somebody took
{{ config(materialized='table') }}

-- Identifiers stand here as keys only: the file that people share holds nothing of a person.
with decision as (
    select
        decision_id,
        to_instant(decided_at) as decided_at,
        decided_by,
        lower(btrim(action)) as action,
        a_type,
        try_cast(a_key as bigint) as a_key,
        b_type,
        try_cast(b_key as bigint) as b_key,
        reason
    from {{ ref('identity_decision') }}
),

judged as (
    select
        *,
        action in ('merge', 'unmerge') as is_of_pair,
        coalesce(
            decided_at is not null
            and a_key is not null and a_type in ({{ identifier_types() }})
            and (
                action in ('block', 'unblock', 'erase')
                or (
                    action in ('merge', 'unmerge')
                    and b_key is not null and b_type in ({{ identifier_types() }})
                )
            ),
            false
        ) as is_valid
    from decision
),

-- Of two decisions about one pair, or one identifier, the later one holds; at one instant the more
-- careful one. `connected_components` sees it in the same way.
ranked as (
    select
        *,
        row_number() over (
            partition by
                is_valid, is_of_pair, action = 'erase',
                case when is_of_pair then least(a_key, b_key) else a_key end,
                case when is_of_pair then greatest(a_key, b_key) end
            order by
                decided_at desc,
                case when action in ('unmerge', 'block') then 0 else 1 end,
                decision_id desc
        ) as place
    from judged
),

final as (
    select
        decision_id,
        decided_at,
        decided_by,
        action,
        a_type,
        a_key,
        b_type,
        case when is_of_pair then b_key end as b_key,
        reason,
        is_valid,
        is_valid and place = 1 as is_in_force
    from ranked
)

select * from final
