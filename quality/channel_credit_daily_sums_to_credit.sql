-- The channel's total of a model is the sum of its rows.
{{ config(severity='error') }}

with by_row as (
    select model, channel_key, sum(credit) as credit, sum(credited_reporting_amount) as amount
    from {{ ref('fct_attribution_credit') }}
    group by model, channel_key
),

by_channel as (
    select model, channel_key, sum(credit) as credit, sum(credited_reporting_amount) as amount
    from {{ ref('fct_channel_credit_daily') }}
    group by model, channel_key
)

select
    coalesce(by_row.model, by_channel.model) as model,
    coalesce(by_row.channel_key, by_channel.channel_key) as channel_key,
    by_row.credit as row_credit,
    by_channel.credit as channel_credit,
    by_row.amount as row_amount,
    by_channel.amount as channel_amount
from by_row
full join by_channel
    on by_row.model = by_channel.model and by_row.channel_key = by_channel.channel_key
where
    (by_row.credit is distinct from by_channel.credit)
    or (by_row.amount is distinct from by_channel.amount)
