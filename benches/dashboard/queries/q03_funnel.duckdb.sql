-- The latest begin is the one that leads furthest: each row carries that of the step before.
with event as (
    select
        customer_key,
        event_at,
        list_position(['view_item', 'add_to_cart', 'purchase'], step) as number
    from ({customer_event})
),

first_step as (
    select
        *,
        max(case when number = 1 then event_at end) over way as viewed_at
    from event
    window way as (
        partition by customer_key order by event_at, number rows unbounded preceding
    )
),

second_step as (
    select
        *,
        max(case when number = 2 and event_at <= viewed_at + interval '7 days' then viewed_at end)
            over way as carted_from
    from first_step
    window way as (
        partition by customer_key order by event_at, number rows unbounded preceding
    )
),

furthest as (
    select
        customer_key,
        max(case
            when number = 3 and event_at <= carted_from + interval '7 days' then 3
            when number = 2 and event_at <= viewed_at + interval '7 days' then 2
            when number = 1 then 1
            else 0
        end) as steps
    from second_step
    group by customer_key
)

select step_number, ['view_item', 'add_to_cart', 'purchase'][step_number] as step,
    count(*) filter (steps >= step_number) as customer_count
from furthest, unnest([1, 2, 3]) as step (step_number)
group by step_number
order by step_number
