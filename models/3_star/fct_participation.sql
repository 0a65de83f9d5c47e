-- grain: one row per conversion and channel that took part in its path
{{ config(materialized='view') }}

-- Each channel of the path has the whole conversion, once. It says in how much a channel took part,
-- and must not be added over channels. The linear model credits every touch: its rows are the path.
with touch as (
    select * from {{ ref('fct_attribution_credit') }}
    where model = 'linear' and not is_unattributed
),

conversion as (
    select conversion_id, revenue_reporting_amount, is_partial from {{ ref('fct_conversion') }}
),

took_part as (
    select
        conversion_id,
        channel_key,
        min(conversion_date) as conversion_date,
        min(conversion_type) as conversion_type,
        min(customer_key) as customer_key,
        count(*) as touch_count,
        min(touch_at) as first_touch_at,
        max(touch_at) as last_touch_at,
        bool_or(is_sale) as is_sale,
        bool_or(is_new_customer) as is_new_customer
    from touch
    group by conversion_id, channel_key
),

final as (
    select
        took_part.conversion_id,
        took_part.channel_key,
        took_part.conversion_date,
        took_part.conversion_type,
        took_part.customer_key,
        took_part.touch_count,
        took_part.first_touch_at,
        took_part.last_touch_at,
        conversion.revenue_reporting_amount as participation_reporting_amount,
        took_part.is_sale,
        took_part.is_new_customer,
        conversion.is_partial
    from took_part
    inner join conversion on took_part.conversion_id = conversion.conversion_id
)

select * from final
