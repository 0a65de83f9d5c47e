-- grain: one row per day of conversion, day of touch, conversion type, model and channel
{{ config(materialized='table', sort=['conversion_date', 'model']) }}

with credit as (
    select * from {{ ref('fct_attribution_credit') }}
),

last_day as (
    select max(conversion_date) as last_date from credit
),

final as (
    select
        conversion_date,
        touch_date,
        conversion_type,
        model,
        channel_key,
        is_sale,
        is_unattributed,
        cast(sum(credit) as decimal(28, 12)) as credit,
        cast(sum(case when is_new_customer then credit else 0 end) as decimal(28, 12))
            as new_customer_credit,
        cast(sum(credited_reporting_amount) as decimal(18, 6)) as credited_reporting_amount,
        count(distinct case
            when credited_reporting_amount is null and credited_amount <> 0 then conversion_id
        end) as unconverted_rows,
        bool_or(credited_reporting_amount is null and credited_amount <> 0) as is_partial,
        -- A touch of this day may still lead to conversions: its look-back is not over.
        coalesce(
            date_part('epoch', touch_date) + 86400 * ({{ lookback_days('conversion_type') }})
            >= date_part('epoch', last_date),
            false
        ) as is_immature
    from credit
    cross join last_day
    group by
        conversion_date, touch_date, conversion_type, model, channel_key, is_sale,
        is_unattributed, last_date
)

select * from final
