-- grain: one row per reporting day, channel and step of the shop's funnel
{{ config(materialized='table', sort=['date', 'step_number']) }}

-- Steps within one session, in order: a cart counts after a product was seen, and so on.
with session as (
    select
        reporting_date as date,
        channel_key,
        count(*) as visited,
        sum(case when has_view_item then 1 else 0 end) as viewed,
        sum(case when has_add_to_cart then 1 else 0 end) as added,
        sum(case when has_begin_checkout then 1 else 0 end) as checked_out,
        sum(case when has_purchase then 1 else 0 end) as purchased
    from {{ ref('int_session_campaign') }}
    where not is_bot
    group by reporting_date, channel_key
),

step as (
    select
        date,
        channel_key,
        unnest(make_array(
            named_struct('number', 1, 'step', 'session',
                'sessions', visited, 'before', visited),
            named_struct('number', 2, 'step', 'view_item',
                'sessions', viewed, 'before', visited),
            named_struct('number', 3, 'step', 'add_to_cart',
                'sessions', added, 'before', viewed),
            named_struct('number', 4, 'step', 'begin_checkout',
                'sessions', checked_out, 'before', added),
            named_struct('number', 5, 'step', 'purchase',
                'sessions', purchased, 'before', checked_out)
        )) as step
    from session
),

channel as (
    select channel_key, channel from {{ ref('dim_channel') }}
),

final as (
    select
        step.date,
        step.channel_key,
        channel.channel,
        cast(step.step['number'] as bigint) as step_number,
        step.step['step'] as step,
        cast(step.step['sessions'] as bigint) as session_count,
        cast(step.step['before'] as bigint) as previous_step_session_count,
        {{ ratio("step.step['sessions']", "step.step['before']") }} as step_rate
    from step
    inner join channel on step.channel_key = channel.channel_key
)

select * from final
