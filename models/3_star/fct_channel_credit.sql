-- grain: one row per day of conversion, day of touch, conversion type, model and channel
{{ config(materialized='table', sort=['conversion_date', 'model']) }}

with credit as (
    select * from {{ ref('fct_attribution_credit') }}
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
        bool_or(credited_reporting_amount is null and credited_amount <> 0) as is_partial
    from credit
    group by
        conversion_date, touch_date, conversion_type, model, channel_key, is_sale, is_unattributed
)

select * from final
