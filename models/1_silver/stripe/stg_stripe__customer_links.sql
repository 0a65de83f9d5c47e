-- grain: one row per address or id by which a Stripe customer is known elsewhere
{{ config(entity='identity_link', rows='many') }}

with customer as (
    select
        *,
        {{ stripe_metadata(['site_user_id', 'user_id']) }} as site_user_id,
        regexp_replace(
            {{ stripe_metadata(['ga_client_id', 'google_client_id']) }},
            '^GA[0-9]+[.][0-9]+[.]',
            ''
        ) as device_id
    from {{ source('stripe', 'customer') }}
),

final as (
    select
        _raw_id,
        'buyer' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'email' as b_type,
        pii_hash('email', trim(email)) as b_value,
        created as linked_at,
        'billing_email' as rule
    from customer
    where trim(email) <> '' and not is_blocked_identifier('email', trim(email))
    union all
    select
        _raw_id,
        'buyer' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'phone' as b_type,
        pii_hash('phone', trim(phone)) as b_value,
        created as linked_at,
        'billing_phone' as rule
    from customer
    where trim(phone) <> '' and not is_blocked_identifier('phone', trim(phone))
    union all
    select
        _raw_id,
        'buyer' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'user' as b_type,
        site_user_id as b_value,
        created as linked_at,
        'billing_user' as rule
    from customer
    where site_user_id is not null
    union all
    select
        _raw_id,
        'buyer' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'device' as b_type,
        device_id as b_value,
        created as linked_at,
        'billing_device' as rule
    from customer
    where device_id is not null
)

select * from final
