-- Weights of touches (`weighed`) as whole units and cents by largest remainder, each summing to the
-- conversion's own: `paid`.
share as (
    select
        *,
        weight / sum(weight) over (partition by conversion_id, model) * 1000000000000 as units
    from weighed
),

-- Units left over go one each to the largest remainders, the earlier touch first of equals.
split as (
    select
        *,
        floor(units)::bigint + case
            when row_number() over (
                partition by conversion_id, model order by units - floor(units) desc, position
            ) <= 1000000000000 - sum(floor(units)::bigint) over (partition by conversion_id, model)
                then 1
            else 0
        end as credit
    from share
),

divided as (
    select
        *,
        floor(abs(revenue_amount) * 100)::bigint as cents,
        (cents::hugeint * credit) // 1000000000000 as whole,
        (cents::hugeint * credit) % 1000000000000 as remainder
    from split
    where credit > 0
),

paid as (
    select
        *,
        ((whole + case
            when row_number() over (
                partition by conversion_id, model order by remainder desc, position
            ) <= cents - sum(whole) over (partition by conversion_id, model) then 1
            else 0
        end) / 100)::decimal(18, 6)
        + case
            when row_number() over (
                partition by conversion_id, model order by credit desc, position
            ) = 1 then abs(revenue_amount) - (cents / 100)::decimal(18, 6)
            else 0
        end as amount
    from divided
)
