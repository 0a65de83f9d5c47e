-- grain: one row per e-mail and telephone of a Shopify customer
{{ config(entity='identity_link', rows='many') }}

with customer as (
    select * from {{ source('shopify', 'customer') }}
),

final as (
    select
        _raw_id,
        'buyer' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'email' as b_type,
        pii_hash('email', trim(email)) as b_value,
        'shop_customer' as rule
    from customer
    where trim(email) <> '' and not is_blocked_identifier('email', trim(email))
    union all
    select
        _raw_id,
        'buyer' as a_type,
        concat('{{ source_name }}:', id) as a_value,
        'phone' as b_type,
        pii_hash('phone', trim(phone)) as b_value,
        'shop_customer' as rule
    from customer
    where trim(phone) <> '' and not is_blocked_identifier('phone', trim(phone))
)

select * from final
