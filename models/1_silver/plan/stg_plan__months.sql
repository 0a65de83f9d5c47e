-- grain: one row per scope, measure and filled month (or quarter) of a plan
{{ config(entity='target', rows='many') }}

{%- set short = [
    'Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec',
] %}
{%- set long = [
    'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September',
    'October', 'November', 'December',
] %}
{%- set found = namespace(cells=[]) %}
{%- for year in range(2020, 2036) %}
{%- for name in short %}
{%- set month = year ~ '-' ~ ('%02d' | format(loop.index)) %}
{%- set found.cells = found.cells + [{'period': "'" ~ month ~ "'", 'columns': [
    month, month ~ '-01', name ~ ' ' ~ year, name ~ '-' ~ (year | string)[2:],
    long[loop.index0] ~ ' ' ~ year,
]}] %}
{%- endfor %}
{%- for quarter in ['Q1', 'Q2', 'Q3', 'Q4'] %}
{%- set found.cells = found.cells + [{'period': "'" ~ year ~ '-' ~ quarter ~ "'", 'columns': [
    year ~ '-' ~ quarter, quarter ~ ' ' ~ year,
]}] %}
{%- endfor %}
{%- endfor %}
{%- for name in short %}
{%- set found.cells = found.cells + [{
    'period': 'concat("year", \'-' ~ ('%02d' | format(loop.index)) ~ "')",
    'columns': [name, long[loop.index0]],
}] %}
{%- endfor %}
{%- for quarter in ['Q1', 'Q2', 'Q3', 'Q4'] %}
{%- set found.cells = found.cells + [{
    'period': 'concat("year", \'-' ~ quarter ~ "')", 'columns': [quarter],
}] %}
{%- endfor %}

with months as (
    select * from {{ source('plan', 'months') }}
),

-- A month may be headed in several ways; the first that is filled counts.
by_period as (
    select
        _raw_id,
        coalesce(plan_name, plan) as stated_plan_name,
        coalesce(plan_version, version) as stated_plan_version,
        coalesce(measure, metric) as stated_measure,
        platform,
        account_id,
        channel,
        market,
        campaign_id,
        coalesce(campaign_name, campaign) as stated_campaign_name,
        coalesce(currency_code, currency) as stated_currency_code,
        unnest(make_array(
            {%- for cell in found.cells %}
            named_struct('period', {{ cell.period }}, 'amount', coalesce(
                {%- for column in cell.columns %}"{{ column }}", {% endfor -%}
                cast(null as text)
            )),
            {%- endfor %}
            -- A row without any amount is refused, and says so: its months may be headed otherwise.
            named_struct('period', '2020', 'amount', case when coalesce(
                {%- for cell in found.cells %}{% for column in cell.columns %}
                "{{ column }}",
                {%- endfor %}{% endfor %}
                cast(null as text)
            ) is null then '' end)
        )) as cell
    from months
),

final as (
    select
        _raw_id,
        stated_plan_name as plan_name,
        stated_plan_version as plan_version,
        {{ plan_metric('stated_measure') }} as metric,
        {{ plan_period_start("cell['period']") }} as period_start,
        {{ plan_period_end("cell['period']") }} as period_end,
        platform,
        account_id,
        channel,
        market,
        campaign_id,
        stated_campaign_name as campaign_name,
        cell['amount'] as amount,
        stated_currency_code as currency_code
    from by_period
    where cell['amount'] is not null
)

select * from final
