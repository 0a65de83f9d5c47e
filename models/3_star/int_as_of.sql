-- grain: one row: the last day that sales, refunds, visits or spend were seen on
{{ config(materialized='table') }}

-- What is not over by that day is not mature. It is the data's own last day and not today's:
-- figures do not ripen because time passes while nothing is loaded. A day to come is an error.
with seen as (
    select max(reporting_date) as date from {{ ref('fct_conversion') }}
    union all
    select max(reporting_date) as date from {{ ref('fct_refund') }}
    union all
    select max(reporting_date) as date from {{ ref('fct_session') }} where not is_bot
    union all
    select max(report_date) as date
    from {{ ref('fct_ad_performance_current') }}
    where is_spend_of_record
),

final as (
    select
        {%- if var('worth_as_of', '') %}
        cast('{{ var('worth_as_of') }}' as date) as as_of_date
        {%- else %}
        least(max(date), cast(now() as date)) as as_of_date
        {%- endif %}
    from seen
)

select * from final
