-- grain: one row per date basis, attribution model, period, its first day, level and member
{{ config(materialized='view') }}

-- The parts of `mart_worth_daily` summed, and the ratios taken again. Levels and periods overlap:
-- read one of each.
{%- set levels = {
    'total': "'(total)'",
    'spend_match': 'spend_match',
    'channel': 'channel',
    'platform': "coalesce(platform, '(none)')",
    'campaign': "coalesce(campaign_name, campaign_id, '(none)')",
} %}
{%- set periods = {
    'day': 'date',
    'week': week_of('date'),
    'month': "cast(date_trunc('month', date) as date)",
    'all': 'cast(null as date)',
} %}

with worth as (
    select * from {{ ref('mart_worth_daily') }}
),

rolled_up as (
    {%- for level, member in levels | items %}
    {%- set is_campaign = level == 'campaign' %}
    {%- for period, first_day in periods | items %}
    select
        date_basis,
        model,
        is_default_model,
        '{{ period }}' as period,
        {{ first_day }} as period_start,
        '{{ level }}' as level,
        {{ member }} as member,
        {{ 'platform' if level in ('platform', 'campaign') else 'cast(null as text)' }}
            as platform,
        {{ 'account_id' if is_campaign else 'cast(null as text)' }} as account_id,
        {{ 'campaign_key' if is_campaign else 'cast(null as bigint)' }} as campaign_key,
        impressions, clicks, spend_reporting_amount, acquisition_spend_reporting_amount, sales,
        new_customers, leads, revenue_reporting_amount, refund_reporting_amount,
        net_revenue_reporting_amount, unconverted_rows, is_mature
    from worth
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}
),

summed as (
    select
        date_basis,
        model,
        is_default_model,
        period,
        period_start,
        level,
        member,
        platform,
        account_id,
        campaign_key,
        {%- for count in ['impressions', 'clicks'] %}
        cast(sum({{ count }}) as bigint) as {{ count }},
        {%- endfor %}
        {%- for count in ['sales', 'new_customers', 'leads'] %}
        cast(sum({{ count }}) as decimal(28, 12)) as {{ count }},
        {%- endfor %}
        {%- for money in ['spend', 'acquisition_spend', 'revenue', 'refund', 'net_revenue'] %}
        cast(sum({{ money }}_reporting_amount) as decimal(18, 6)) as {{ money }}_reporting_amount,
        {%- endfor %}
        cast(sum(unconverted_rows) as bigint) as unconverted_rows,
        sum(unconverted_rows) > 0 as is_partial,
        bool_and(is_mature) as is_mature
    from rolled_up
    group by
        date_basis, model, is_default_model, period, period_start, level, member, platform,
        account_id, campaign_key
),

final as (
    select
        *,
        {{ worth_ratios() }},
        -- All revenue, whatever led to it, per unit of all spend: of the total alone.
        case
            when level = 'total'
                then {{ ratio('net_revenue_reporting_amount', 'spend_reporting_amount') }}
        end as mer
    from summed
)

select * from final
