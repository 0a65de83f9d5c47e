-- grain: one row per kind of identifier that an alias call may speak of
{{ config(entity='identity_link', rows='many') }}

with aliases as (
    select * from {{ source('segment', 'aliases') }}
),

-- The old id may be that of a device or one of a user, and the call does not say which: both are
-- linked. The one that it is not was never seen on any event and ties nothing.
kinds as (
    select
        *,
        case when strpos(user_id, '@') > 1 then 'email' else 'user' end as a_type,
        unnest(case
            when previous_id = anonymous_id then make_array('device')
            when strpos(previous_id, '@') > 1 then make_array('email')
            else make_array('device', 'user')
        end) as b_type
    from aliases
),

-- An id with an @ is an e-mail address: it is stored as its hash, never as an id.
final as (
    select
        _raw_id,
        a_type,
        case when a_type = 'email' then pii_hash('email', user_id) else clean_text(user_id) end
            as a_value,
        b_type,
        case
            when b_type = 'email' then pii_hash('email', previous_id)
            else clean_text(previous_id)
        end as b_value,
        stated("timestamp", _timestamp, original_timestamp, sent_at, received_at) as linked_at,
        'alias' as rule
    from kinds
    where
        user_id <> previous_id
        and not (a_type = 'email' and is_blocked_identifier('email', user_id))
        and not (b_type = 'email' and is_blocked_identifier('email', previous_id))
)

select * from final
