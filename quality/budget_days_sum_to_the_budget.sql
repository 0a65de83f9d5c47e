-- The days of a line of a plan sum to its amount, to the cent.
{{ config(severity='error') }}

with by_day as (
    select target_key, sum(day_amount) as amount
    from {{ ref('fct_budget_day') }}
    where not is_ratio
    group by target_key
)

select target.target_key, target.plan_name, target.scope, target.amount, by_day.amount as day_amount
from {{ ref('int_target') }} as target
left join by_day on target.target_key = by_day.target_key
where not target.is_ratio and (by_day.amount is distinct from target.amount)
