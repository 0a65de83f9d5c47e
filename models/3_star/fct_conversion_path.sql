-- grain: one row per conversion, with the way that led to it
{{ config(
    materialized='incremental',
    incremental_strategy='replace_key',
    unique_key='customer_key',
    sort=['reporting_date']
) }}

-- The linear model credits every touch of a path: its rows are the path.
with credit as (
    select conversion_id, touch_id, touch_at, touch_position, path_length, channel_key
    from {{ ref('fct_attribution_credit') }}
    where model = 'linear' and not is_unattributed
),

channel as (
    select channel_key, channel from {{ ref('dim_channel') }}
),

stepped as (
    select
        credit.*,
        channel.channel,
        lag(credit.channel_key) over (
            partition by credit.conversion_id order by credit.touch_position
        ) as previous_channel_key
    from credit
    inner join channel on credit.channel_key = channel.channel_key
),

-- Two visits in a row through one channel are one step of the path.
path as (
    select
        conversion_id,
        string_agg(
            case
                when previous_channel_key is null or previous_channel_key <> channel_key
                    then channel
            end,
            ' > ' order by touch_position
        ) as channel_path,
        sum(case
            when previous_channel_key is null or previous_channel_key <> channel_key then 1
            else 0
        end)
            as step_count,
        count(distinct channel_key) as channel_count,
        max(path_length) as touch_count,
        min(touch_at) as first_touch_at,
        max(touch_at) as last_touch_at,
        max(case when touch_position = 1 then channel_key end) as first_channel_key,
        max(case when touch_position = path_length then channel_key end) as last_channel_key
    from stepped
    group by conversion_id
),

conversion as (
    select
        conversion_id, conversion_type, conversion_at, event_date, reporting_date, customer_key,
        revenue_reporting_amount, is_sale, is_new_customer
    from {{ ref('fct_conversion') }}
    {%- if project.attribution.conversion_types %}
    where conversion_type in {{ in_list(project.attribution.conversion_types) }}
    {%- endif %}
),

final as (
    select
        conversion.conversion_id,
        conversion.event_date,
        conversion.reporting_date,
        conversion.conversion_at,
        conversion.conversion_type,
        conversion.customer_key,
        coalesce(path.first_channel_key, -1) as first_channel_key,
        coalesce(path.last_channel_key, -1) as last_channel_key,
        durable_key('path', coalesce(path.channel_path, '(no touch)')) as path_key,
        coalesce(path.channel_path, '(no touch)') as channel_path,
        cast(coalesce(path.step_count, 0) as bigint) as step_count,
        coalesce(path.channel_count, 0) as channel_count,
        coalesce(path.touch_count, 0) as touch_count,
        path.first_touch_at,
        path.last_touch_at,
        cast(
            (date_part('epoch', conversion.conversion_at) - date_part('epoch', path.first_touch_at))
            / 86400.0 as double
        ) as days_to_convert,
        conversion.revenue_reporting_amount,
        conversion.is_sale,
        conversion.is_new_customer,
        path.conversion_id is null as is_unattributed
    from conversion
    left join path on conversion.conversion_id = path.conversion_id
)

select * from final
