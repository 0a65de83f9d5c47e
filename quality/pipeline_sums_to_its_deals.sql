-- Of every deal and model the pipeline credit sums to one and to the deal's money; the mart's open,
-- won and lost amounts are those of the deals, its revenue is that of the conversions with a deal.
{{ config(severity='error') }}

with deal as (
    select
        deal_key, outcome, coalesce(amount, {{ no_money() }}) as amount,
        coalesce(reporting_amount, {{ no_money() }}) as reporting_amount
    from {{ ref('int_deal') }}
    where not is_deleted
),

credit as (
    select
        deal_key, model, sum(credit) as credit, sum(credited_amount) as credited_amount,
        coalesce(sum(credited_reporting_amount), {{ no_money() }}) as credited_reporting_amount
    from {{ ref('fct_pipeline_credit') }}
    group by deal_key, model
),

mart as (
    select
        model,
        sum(open_reporting_amount) as open_amount,
        sum(won_reporting_amount) as won_amount,
        sum(lost_reporting_amount) as lost_amount,
        sum(open_deals + won_deals + lost_deals) as deals,
        sum(won_revenue_reporting_amount) as revenue
    from {{ ref('mart_pipeline_by_channel') }}
    group by model
),

star as (
    select
        coalesce(sum(case when outcome = 'open' then reporting_amount end), 0) as open_amount,
        coalesce(sum(case when outcome = 'won' then reporting_amount end), 0) as won_amount,
        coalesce(sum(case when outcome = 'lost' then reporting_amount end), 0) as lost_amount,
        count(*) as deals
    from deal
),

revenue as (
    select coalesce(sum(revenue_reporting_amount), 0) as revenue
    from {{ ref('fct_conversion') }}
    where is_sale and deal_key <> -1
)

select cast(deal.deal_key as text) as place, credit.model, 'a deal' as difference
from deal
left join credit on deal.deal_key = credit.deal_key
where
    credit.credit is null
    or credit.credit <> 1
    or credit.credited_amount <> deal.amount
    or credit.credited_reporting_amount <> deal.reporting_amount

union all

select 'mart_pipeline_by_channel' as place, mart.model, 'a total' as difference
from mart
cross join star
cross join revenue
where
    abs(mart.open_amount - star.open_amount) >= 0.005
    or abs(mart.won_amount - star.won_amount) >= 0.005
    or abs(mart.lost_amount - star.lost_amount) >= 0.005
    or abs(mart.deals - star.deals) >= 0.000001
    or abs(mart.revenue - revenue.revenue) >= 0.005
