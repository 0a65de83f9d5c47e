-- grain: one row per version of a price of a Stripe product
-- It promises no entity: a product may have several prices, in several currencies.
{{ config(materialized='table', rows='one') }}

with price as (
    select * from {{ source('stripe', 'price') }}
),

final as (
    select
        _raw_id,
        id as price_id,
        '{{ source_name }}:' || product_id as product_id,
        nickname as price_name,
        type as price_type,
        billing_scheme,
        {{ amount_of_smallest_unit('coalesce(unit_amount_decimal, unit_amount)', 'currency') }}
            as unit_price_amount,
        upper(currency) as currency_code,
        recurring_interval as interval_unit,
        recurring_interval_count as interval_count,
        active as is_active
    from price
)

select * from final
