-- By every model and on either day, what was spent and brought is what the facts say.
{{ config(severity='error') }}

with worth as (
    select
        date_basis,
        model,
        sum(spend_reporting_amount) as spend,
        sum(sales) as sales,
        sum(new_customers) as new_customers,
        sum(revenue_reporting_amount) as revenue,
        sum(refund_reporting_amount) as refund
    from {{ ref('mart_worth_daily') }}
    group by date_basis, model
),

spend as (
    select coalesce(sum(spend_reporting_amount), 0) as spend
    from {{ ref('fct_ad_performance_current') }}
    where is_spend_of_record
),

sale as (
    select
        count(*) as sales,
        coalesce(sum(case when is_new_customer then 1 else 0 end), 0) as new_customers,
        coalesce(sum(revenue_reporting_amount), 0) as revenue
    from {{ ref('fct_conversion') }}
    where is_sale
),

refund as (
    select coalesce(sum(refund_reporting_amount), 0) as refund
    from {{ ref('fct_refund') }}
    where is_of_conversion
)

select
    worth.date_basis, worth.model, worth.spend, spend.spend as star_spend, worth.sales,
    sale.sales as star_sales, worth.new_customers, sale.new_customers as star_new_customers,
    worth.revenue, sale.revenue as star_revenue, worth.refund, refund.refund as star_refund
from worth
cross join spend
cross join sale
cross join refund
where
    worth.spend <> spend.spend
    or worth.revenue <> sale.revenue
    or worth.refund <> refund.refund
    or worth.sales <> sale.sales
    or worth.new_customers <> sale.new_customers
