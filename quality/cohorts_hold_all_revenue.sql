-- Whatever names the channel and however cohorts are cut: their revenue, refunds, sales and
-- customers are those of the facts, their spend is all that seeks customers, and channels sum to
-- the total.
{{ config(severity='error') }}

with cohort as (
    select
        cohort_grain,
        model,
        level,
        sum(order_count) as sales,
        sum(revenue_reporting_amount) as revenue,
        sum(refund_reporting_amount) as refund,
        sum(case when months_since = 0 then customers else 0 end) as customers,
        sum(case when months_since = 0 then acquisition_spend_reporting_amount else 0 end) as spend
    from {{ ref('mart_ltv_cohort') }}
    group by cohort_grain, model, level
),

sale as (
    select
        count(*) as sales,
        coalesce(sum(revenue_reporting_amount), 0) as revenue,
        coalesce(sum(case when is_new_customer then 1 else 0 end), 0) as customers
    from {{ ref('fct_conversion') }}
    where is_sale
),

refund as (
    select coalesce(sum(refund_reporting_amount), 0) as refund
    from {{ ref('fct_refund') }}
    where is_of_conversion
),

spend as (
    select coalesce(sum(case when is_acquisition then spend_reporting_amount else 0 end), 0)
        as spend
    from {{ ref('int_spend_day') }}
)

select
    cohort.cohort_grain, cohort.model, cohort.level, cohort.sales, sale.sales as star_sales,
    cohort.revenue, sale.revenue as star_revenue, cohort.refund, refund.refund as star_refund,
    cohort.customers, sale.customers as star_customers, cohort.spend, spend.spend as star_spend
from cohort
cross join sale
cross join refund
cross join spend
where
    cohort.sales <> sale.sales
    or cohort.revenue <> sale.revenue
    or cohort.refund <> refund.refund
    or cohort.customers <> sale.customers
    or cohort.spend <> spend.spend
