-- grain: one row per version of a plan of a Stripe product
-- It promises no entity: a product may have several plans, in several currencies.
{{ config(materialized='table', rows='one') }}

with plan as (
    select * from {{ source('stripe', 'plan') }}
),

final as (
    select
        _raw_id,
        id as plan_id,
        '{{ source_name }}:' || product_id as product_id,
        nickname as plan_name,
        billing_scheme,
        {{ amount_of_smallest_unit('amount', 'currency') }} as unit_price_amount,
        upper(currency) as currency_code,
        "interval" as interval_unit,
        interval_count,
        trial_period_days as trial_day_count,
        active as is_active
    from plan
)

select * from final
