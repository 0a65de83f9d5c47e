-- grain: one row per pair of identifiers that an identify call names
{{ config(entity='identity_link', rows='many') }}

with identifies as (
    select * from {{ source('segment', 'identifies') }}
),

-- A user id with an @ is an e-mail address: it is stored as its hash, never as an id.
named as (
    select
        *,
        coalesce(strpos(user_id, '@') > 1, false) as is_email
    from identifies
),

given as (
    select
        _raw_id,
        stated("timestamp", _timestamp, original_timestamp, sent_at, received_at) as linked_at,
        clean_text(anonymous_id) as device,
        clean_text(text_if(not is_email, user_id)) as person,
        first_text(text_if(is_email, user_id), email, context_traits_email) as any_email,
        first_text(phone, context_traits_phone) as any_phone
    from named
),

-- Addresses that identify nobody (test@test.com) are known only before they are hashed.
known as (
    select
        *,
        case when not is_blocked_identifier('email', any_email) then pii_hash('email', any_email)
        end as email_hash,
        case when not is_blocked_identifier('phone', any_phone) then pii_hash('phone', any_phone)
        end as phone_hash
    from given
),

pairs as (
    select
        _raw_id,
        linked_at,
        unnest(make_array(
            named_struct(
                'a_type', 'device', 'a_value', device, 'b_type', 'user', 'b_value', person
            ),
            named_struct(
                'a_type', 'device', 'a_value', device, 'b_type', 'email', 'b_value', email_hash
            ),
            named_struct(
                'a_type', 'device', 'a_value', device, 'b_type', 'phone', 'b_value', phone_hash
            ),
            named_struct(
                'a_type', 'user', 'a_value', person, 'b_type', 'email', 'b_value', email_hash
            ),
            named_struct(
                'a_type', 'user', 'a_value', person, 'b_type', 'phone', 'b_value', phone_hash
            )
        )) as pair
    from known
),

final as (
    select
        _raw_id,
        pair['a_type'] as a_type,
        pair['a_value'] as a_value,
        pair['b_type'] as b_type,
        pair['b_value'] as b_value,
        linked_at,
        'identify' as rule
    from pairs
    where pair['a_value'] is not null and pair['b_value'] is not null
)

select * from final
