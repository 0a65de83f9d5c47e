-- grain: one row per reporting day, conversion type, channel and attribution model
{{ config(materialized='table', sort=['date', 'model']) }}

-- The models side by side: where they disagree, the answer depends on the question.
with channel_credit as (
    select
        conversion_date as date,
        conversion_type,
        channel_key,
        model,
        sum(credit) as credited_conversions,
        sum(new_customer_credit) as credited_new_customers,
        sum(credited_reporting_amount) as credited_reporting_amount,
        sum(unconverted_rows) as unconverted_rows,
        bool_or(is_partial) as is_partial
    from {{ ref('fct_channel_credit_daily') }}
    group by conversion_date, conversion_type, channel_key, model
),

channel as (
    select channel_key, channel from {{ ref('dim_channel') }}
),

model as (
    select model, label from {{ ref('dim_attribution_model') }}
),

conversion_type as (
    select conversion_type, is_sale from {{ ref('dim_conversion_type') }}
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
        coalesce(conversion_type.is_sale, false) as is_sale,
        cast(channel_credit.unconverted_rows as bigint) as unconverted_rows,
        channel_credit.is_partial
    from channel_credit
    inner join channel on channel_credit.channel_key = channel.channel_key
    inner join model on channel_credit.model = model.model
    left join conversion_type on channel_credit.conversion_type = conversion_type.conversion_type
)

select * from final
