-- grain: one row per deal
{{ config(entity='deal') }}
select
    _raw_id,
    id as deal_id,
    'won' as stage,
    true as is_closed,
    true as is_won,
    amount,
    created as created_at,
    closed as closed_at,
    "order" as order_id
from {{ source('crm', 'deals') }}
