-- grain: one row per reporting day, product, channel and attribution model
{{ config(materialized='table', sort=['date', 'model', 'product_key']) }}

with order_line as (
    select
        order_id, reporting_date, product_key, quantity, revenue_reporting_amount,
        cost_reporting_amount, revenue_amount
    from {{ ref('fct_order_line') }}
),

-- The sale that the order belongs to. Lines of orders that are no sale are left out.
sale as (
    select evidence_id as order_id, conversion_id
    from {{ ref('fct_conversion_evidence') }}
    where evidence_type = 'order' and is_valid
),

credit as (
    select conversion_id, model, channel_key, sum(credit) as credit
    from {{ ref('fct_attribution_credit') }}
    where is_sale
    group by conversion_id, model, channel_key
),

line as (
    select
        sale.conversion_id,
        order_line.reporting_date as date,
        order_line.product_key,
        sum(cast(order_line.quantity as decimal(18, 6))) as quantity,
        sum(order_line.revenue_reporting_amount) as revenue_reporting_amount,
        sum(order_line.cost_reporting_amount) as cost_reporting_amount,
        bool_or(order_line.revenue_reporting_amount is null) as is_partial
    from order_line
    inner join sale on order_line.order_id = sale.order_id
    group by sale.conversion_id, order_line.reporting_date, order_line.product_key
),

credited as (
    select
        line.date,
        line.product_key,
        credit.channel_key,
        credit.model,
        sum(cast(line.quantity * credit.credit as decimal(28, 12))) as quantity,
        sum(cast(line.revenue_reporting_amount * credit.credit as decimal(28, 12)))
            as revenue_reporting_amount,
        sum(cast(line.cost_reporting_amount * credit.credit as decimal(28, 12)))
            as cost_reporting_amount,
        sum(credit.credit) as credited_orders,
        bool_or(line.is_partial) as is_partial
    from line
    inner join credit on line.conversion_id = credit.conversion_id
    group by line.date, line.product_key, credit.channel_key, credit.model
),

product as (
    select product_key, product_name, category, brand from {{ ref('dim_product') }} where is_current
),

channel as (
    select channel_key, channel from {{ ref('dim_channel') }}
),

final as (
    select
        credited.date,
        credited.product_key,
        coalesce(product.product_name, '(unknown)') as product_name,
        coalesce(product.category, '(unknown)') as category,
        coalesce(product.brand, '(unknown)') as brand,
        credited.channel_key,
        channel.channel,
        credited.model,
        cast(credited.quantity as double) as quantity,
        cast(credited.credited_orders as decimal(28, 12)) as credited_orders,
        cast(coalesce(credited.revenue_reporting_amount, 0) as decimal(18, 6))
            as revenue_reporting_amount,
        cast(credited.cost_reporting_amount as decimal(18, 6)) as cost_reporting_amount,
        credited.is_partial
    from credited
    left join product on credited.product_key = product.product_key
    inner join channel on credited.channel_key = channel.channel_key
)

select * from final
