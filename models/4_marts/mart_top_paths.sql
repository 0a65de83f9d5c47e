-- grain: one row per conversion type and channel path
{{ config(materialized='table', sort=['conversion_type', 'rank']) }}

with conversion_path as (
    select * from {{ ref('fct_conversion_path') }}
),

path as (
    select
        conversion_type,
        path_key,
        min(channel_path) as channel_path,
        max(step_count) as step_count,
        count(*) as conversion_count,
        sum(case when is_new_customer then 1 else 0 end) as new_customer_count,
        sum(touch_count) as touch_count,
        sum(revenue_reporting_amount) as revenue_reporting_amount,
        -- Every conversion has an amount, if of nothing; without a rate it has none.
        sum(case when revenue_reporting_amount is null then 1 else 0 end) as unconverted_rows,
        avg(days_to_convert) as average_days_to_convert,
        min(reporting_date) as first_date,
        max(reporting_date) as last_date
    from conversion_path
    group by conversion_type, path_key
),

final as (
    select
        conversion_type,
        row_number() over (
            partition by conversion_type
            order by conversion_count desc, revenue_reporting_amount desc, path_key
        ) as rank,
        path_key,
        channel_path,
        step_count,
        conversion_count,
        cast(new_customer_count as bigint) as new_customer_count,
        cast(touch_count as bigint) as touch_count,
        cast(coalesce(revenue_reporting_amount, 0) as decimal(18, 6)) as revenue_reporting_amount,
        average_days_to_convert,
        {{ ratio('conversion_count', 'sum(conversion_count) over (partition by conversion_type)') }}
            as conversion_share,
        cast(unconverted_rows as bigint) as unconverted_rows,
        unconverted_rows > 0 as is_partial,
        first_date,
        last_date
    from path
)

select * from final
