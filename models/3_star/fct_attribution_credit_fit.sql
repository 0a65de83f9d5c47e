-- grain: one row per conversion, fitted model and touch, or its one unattributed row
{{ config(materialized='table', sort=['conversion_date', 'model', 'channel_key']) }}

{%- set fitted = project.attribution.fitted %}

with credit as (
    select
        conversion_id, touch_id, conversion_date, touch_date, conversion_at, touch_at,
        conversion_type, touch_type, customer_key, channel_key, campaign_key, touch_position,
        path_length, is_sale, is_new_customer, is_unattributed,
        cast(date_trunc('{{ fitted.period }}', conversion_date) as date) as period_start
    from {{ ref('fct_attribution_credit') }}
    where
        model = 'linear'
        and conversion_type in ('' {%- for name in fitted.conversion_types %}, '{{ name }}'
        {%- endfor %})
),

conversion as (
    select conversion_id, revenue_reporting_amount from {{ ref('fct_conversion') }}
),

fit as (
    select fit_id, conversion_type, period_start, model, is_frozen
    from {{ ref('fct_attribution_fit') }}
    where is_in_force
),

-- A Markov chain weighs by removal effect; in Shapley's sums all channels of a path weigh the same,
-- and rates that a channel lowers are no weight.
weight as (
    select
        fit_id,
        channel_key,
        cast(
            case when model = 'shapley' then 1 when effect > 0 then effect else 0 end as double
        ) as weight
    from {{ ref('fct_channel_credit') }}
    where is_in_force and not is_unattributed
),

weighed as (
    select
        credit.*,
        fit.fit_id,
        fit.model,
        fit.is_frozen,
        -- A channel weighs once, however often it comes: its touches share that. One that came
        -- after the fit was frozen weighs nothing.
        coalesce(weight.weight, cast(0 as double)) / count(*) over (
            partition by credit.conversion_id, fit.model, credit.channel_key
        ) as weight
    from credit
    inner join fit
        on
            credit.conversion_type = fit.conversion_type
            and credit.period_start = fit.period_start
    left join weight
        on fit.fit_id = weight.fit_id and credit.channel_key = weight.channel_key
),

summed as (
    select
        *,
        sum(weight) over (
            partition by conversion_id, model order by touch_position, touch_id
            rows between unbounded preceding and unbounded following
        ) as weight_sum
    from weighed
),

shared as (
    select
        *,
        cast(
            case
                when is_unattributed then cast(1 as double)
                when weight_sum > 0 then weight / weight_sum
                -- No channel of the path has a weight: each touch the same.
                else cast(1 as double) / path_length
            end as decimal(18, 12)
        ) as share
    from summed
),

placed as (
    select
        *,
        row_number() over (
            partition by conversion_id, model order by share desc, touch_position, touch_id
        ) as place,
        sum(share) over (partition by conversion_id, model) as share_sum
    from shared
),

-- What rounding leaves goes to the largest share, in conversions and in money.
balanced as (
    select
        *,
        cast(share + case when place = 1 then 1 - share_sum else 0 end as decimal(18, 12))
            as credit
    from placed
),

paid as (
    select
        balanced.*,
        conversion.revenue_reporting_amount,
        round(
            cast(conversion.revenue_reporting_amount * balanced.credit as decimal(18, 6)), 2
        ) as share_reporting_amount
    from balanced
    inner join conversion on balanced.conversion_id = conversion.conversion_id
),

final as (
    select
        conversion_id,
        touch_id,
        model,
        fit_id,
        conversion_date,
        touch_date,
        conversion_at,
        touch_at,
        conversion_type,
        touch_type,
        customer_key,
        channel_key,
        campaign_key,
        touch_position,
        path_length,
        credit,
        cast(
            share_reporting_amount
            + case
                when place = 1
                    then revenue_reporting_amount - sum(share_reporting_amount) over (
                        partition by conversion_id, model
                    )
                else 0
            end as decimal(18, 6)
        ) as credited_reporting_amount,
        is_sale,
        is_new_customer,
        is_unattributed,
        is_frozen
    from paid
)

select * from final
