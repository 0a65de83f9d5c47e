-- Of every fit the channels' credit sums to its conversions; of every conversion and fitted model
-- the touches' credit sums to one and their money to the conversion's.
{{ config(severity='error') }}

with by_fit as (
    select
        cast(fit_id as text) as id,
        max(model) as model,
        sum(credit) as credit,
        cast(max(conversion_count) as decimal(28, 12)) as credit_owed,
        cast(0 as decimal(18, 6)) as amount,
        cast(0 as decimal(18, 6)) as amount_owed
    from {{ ref('fct_channel_credit') }}
    group by fit_id
),

by_conversion as (
    select
        cast(credit.conversion_id as text) as id,
        credit.model,
        sum(credit.credit) as credit,
        cast(1 as decimal(28, 12)) as credit_owed,
        sum(credit.credited_reporting_amount) as amount,
        max(conversion.revenue_reporting_amount) as amount_owed
    from {{ ref('fct_attribution_credit_fit') }} as credit
    inner join {{ ref('fct_conversion') }} as conversion
        on credit.conversion_id = conversion.conversion_id
    group by credit.conversion_id, credit.model
),

every_sum as (
    select * from by_fit
    union all
    select * from by_conversion
)

select id, model, credit, credit_owed, amount, amount_owed
from every_sum
where credit <> credit_owed or (amount is distinct from amount_owed)
