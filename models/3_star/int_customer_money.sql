-- grain: one row per sale or refund of a sale, with the customer whose it is
{{ config(materialized='table', sort=['customer_key', 'date']) }}

{%- set margin_rate = var('margin_rate', '') %}

-- Money of customers by its own day: a sale's when they bought, a refund's when it was paid. The
-- margin of a sale is what it leaves over its goods, where the cost of each line is known; else the
-- project's `margin_rate` of it, if there is one. A refund takes back the same rate; of goods whose
-- cost is known it takes all, since nothing says that they came back.
with sale as (
    select
        conversion_id, customer_key, reporting_date, order_key, revenue_amount,
        revenue_reporting_amount, is_partial
    from {{ ref('fct_conversion') }}
    where is_sale
),

order_cost as (
    select
        order_key,
        sum(cost_reporting_amount) as cost_reporting_amount,
        bool_and(cost_reporting_amount is not null) as is_known
    from {{ ref('fct_order_line') }}
    group by order_key
),

costed as (
    select
        sale.*,
        case when order_cost.is_known then order_cost.cost_reporting_amount end
            as cost_reporting_amount
    from sale
    left join order_cost on sale.order_key = order_cost.order_key
),

refund as (
    select refund_key, conversion_id, reporting_date, refund_amount, refund_reporting_amount
    from {{ ref('fct_refund') }}
    where is_of_conversion
),

money as (
    select
        conversion_id as money_key,
        'sale' as money_type,
        conversion_id,
        customer_key,
        reporting_date as date,
        cast(1 as bigint) as order_count,
        revenue_reporting_amount,
        cast(0 as decimal(18, 6)) as refund_reporting_amount,
        case
            when cost_reporting_amount is not null
                then revenue_reporting_amount - cost_reporting_amount
            {%- if margin_rate != '' %}
            else cast(
                revenue_reporting_amount * cast('{{ margin_rate }}' as decimal(9, 6))
                as decimal(18, 6)
            )
            {%- endif %}
        end as margin_reporting_amount,
        is_partial
    from costed

    union all

    select
        refund.refund_key as money_key,
        'refund' as money_type,
        refund.conversion_id,
        costed.customer_key,
        refund.reporting_date as date,
        cast(0 as bigint) as order_count,
        cast(0 as decimal(18, 6)) as revenue_reporting_amount,
        refund.refund_reporting_amount,
        case
            when costed.cost_reporting_amount is not null then -refund.refund_reporting_amount
            {%- if margin_rate != '' %}
            else cast(
                -refund.refund_reporting_amount * cast('{{ margin_rate }}' as decimal(9, 6))
                as decimal(18, 6)
            )
            {%- endif %}
        end as margin_reporting_amount,
        refund.refund_amount <> 0 and refund.refund_reporting_amount is null as is_partial
    from refund
    inner join costed on refund.conversion_id = costed.conversion_id
),

final as (
    select
        money_key,
        money_type,
        conversion_id,
        customer_key,
        date,
        order_count,
        coalesce(revenue_reporting_amount, {{ no_money() }}) as revenue_reporting_amount,
        coalesce(refund_reporting_amount, {{ no_money() }}) as refund_reporting_amount,
        cast(
            coalesce(revenue_reporting_amount, {{ no_money() }})
            {%- if project.revenue.subtract_refunds %}
            - coalesce(refund_reporting_amount, {{ no_money() }})
            {%- endif %}
            as decimal(18, 6)
        ) as net_revenue_reporting_amount,
        cast(margin_reporting_amount as decimal(18, 6)) as margin_reporting_amount,
        is_partial
    from money
)

select * from final
