-- grain: one row per e-mail or telephone of a user
{{ config(entity='identity_link', rows='many') }}

with users as (
    select * from {{ source('segment', 'users') }}
),

-- The id of a row is the user id. Where that is an e-mail address, it is stored as its hash.
named as (
    select
        *,
        coalesce(strpos(id, '@') > 1, false) as is_email,
        first_text(email, context_traits_email) as any_email,
        first_text(phone, context_traits_phone) as any_phone
    from users
),

-- Addresses that identify nobody (test@test.com) are known only before they are hashed.
known as (
    select
        _raw_id,
        received_at,
        case when is_email then 'email' else 'user' end as a_type,
        case when is_email then pii_hash('email', id) else clean_text(id) end as a_value,
        case when not is_blocked_identifier('email', any_email) then pii_hash('email', any_email)
        end as email_hash,
        case when not is_blocked_identifier('phone', any_phone) then pii_hash('phone', any_phone)
        end as phone_hash
    from named
    where not (is_email and is_blocked_identifier('email', id))
),

final as (
    select
        _raw_id,
        a_type,
        a_value,
        'email' as b_type,
        email_hash as b_value,
        received_at as linked_at,
        'identify' as rule
    from known
    where email_hash <> a_value
    union all
    select
        _raw_id,
        a_type,
        a_value,
        'phone' as b_type,
        phone_hash as b_value,
        received_at as linked_at,
        'identify' as rule
    from known
    where phone_hash is not null
)

select * from final
