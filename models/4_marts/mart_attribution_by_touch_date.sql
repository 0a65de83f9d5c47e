-- grain: one row per day of touch, conversion type, channel and attribution model
{{ config(materialized='table', sort=['date', 'model']) }}

-- What the touches of a day have brought so far. `mart_attribution_compare` has the same credit by
-- the day of the conversion. What has no touch has no day here.
with channel_credit as (
    select
        touch_date as date,
        conversion_type,
        channel_key,
        model,
        sum(credit) as credited_conversions,
        sum(new_customer_credit) as credited_new_customers,
        sum(credited_reporting_amount) as credited_reporting_amount,
        sum(unconverted_rows) as unconverted_rows,
        bool_or(is_sale) as is_sale,
        bool_or(is_partial) as is_partial,
        bool_or(is_immature) as is_immature
    from {{ ref('fct_channel_credit_daily') }}
    where not is_unattributed
    group by touch_date, conversion_type, channel_key, model
),

channel as (
    select channel_key, channel from {{ ref('dim_channel') }}
),

model as (
    select model, label from {{ ref('dim_attribution_model') }}
),

final as (
    select
        channel_credit.date,
        channel_credit.conversion_type,
        channel_credit.channel_key,
        channel.channel,
        channel_credit.model,
        model.label as model_label,
        cast(channel_credit.credited_conversions as decimal(28, 12)) as credited_conversions,
        cast(channel_credit.credited_new_customers as decimal(28, 12)) as credited_new_customers,
        cast(coalesce(channel_credit.credited_reporting_amount, 0) as decimal(18, 6))
            as revenue_reporting_amount,
        channel_credit.is_sale,
        cast({{ lookback_days('channel_credit.conversion_type') }} as bigint) as lookback_days,
        channel_credit.is_immature,
        cast(channel_credit.unconverted_rows as bigint) as unconverted_rows,
        channel_credit.is_partial
    from channel_credit
    inner join channel on channel_credit.channel_key = channel.channel_key
    inner join model on channel_credit.model = model.model
)

select * from final
