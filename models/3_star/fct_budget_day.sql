-- grain: one row per line of a plan and day of its period
{{ config(materialized='table', sort=['date', 'target_key']) }}

{#- Currencies without a smaller unit, and those with thousandths (ISO 4217). -#}
{%- set whole = [
    'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND',
    'VUV', 'XAF', 'XOF', 'XPF',
] %}
{%- set thousandths = ['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'] %}

-- Every day gets its even share in whole cents; the cents that are left over are spread over the
-- period, and what is finer than a cent is on its last day. So the days sum to the amount.
with target as (
    select
        *,
        cast(amount * 1000000 as bigint) as micros,
        case
            when currency_code in (
                {%- for code in whole %}'{{ code }}'{{ ', ' if not loop.last }}{% endfor -%}
            ) then 1000000
            when currency_code in (
                {%- for code in thousandths %}'{{ code }}'{{ ', ' if not loop.last }}{% endfor -%}
            ) then 1000
            else 10000
        end as unit
    from {{ ref('int_target') }}
),

in_units as (
    select
        *,
        micros / unit as units,
        micros % unit as finer
    from target
),

by_day as (
    select
        *,
        cast(unnest(generate_series(
            cast(period_start as date), cast(period_end as date), interval '1 day'
        )) as date) as date
    from in_units
),

numbered as (
    select
        *,
        cast(row_number() over (partition by target_key order by date) as bigint) as day_number
    from by_day
),

shared as (
    select
        *,
        units / days_in_period as base,
        units % days_in_period * day_number / days_in_period
        - units % days_in_period * (day_number - 1) / days_in_period as extra
    from numbered
),

final as (
    select
        durable_key('budget_day', cast(target_key as text), cast(date as text)) as budget_day_key,
        target_key,
        date,
        plan_name,
        plan_version,
        metric,
        is_ratio,
        scope,
        platform,
        account_id,
        channel,
        market,
        campaign_id,
        campaign_name,
        day_number,
        days_in_period,
        -- A ratio holds every day; it is never spread and never summed.
        case
            when is_ratio then amount
            else cast(
                cast(
                    (base + extra) * unit
                    + case when day_number = days_in_period then finer else 0 end
                    as decimal(24, 0)
                ) * cast('0.000001' as decimal(7, 6)) as decimal(18, 6)
            )
        end as day_amount,
        currency_code
    from shared
)

select * from final
