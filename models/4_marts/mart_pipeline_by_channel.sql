-- grain: one row per month in which deals were made, attribution model and channel
{{ config(materialized='table', sort=['created_month', 'model'], share=['pipeline', 'revenue']) }}

-- Amounts of open deals are hopes and no revenue: they stand in columns of their own. What won
-- deals brought is the conversion's revenue (of the invoice or order, where one records the sale).
with credit as (
    select
        cast(date_trunc('month', created_date) as date) as created_month,
        model,
        channel_key,
        deal_key,
        outcome,
        credit,
        credited_reporting_amount,
        is_partial
    from {{ ref('fct_pipeline_credit') }}
),

pipeline as (
    select
        created_month,
        model,
        channel_key,
        count(distinct deal_key) as touched_deal_count,
        {%- for outcome in ['open', 'won', 'lost'] %}
        sum(case when outcome = '{{ outcome }}' then credit else 0 end) as {{ outcome }}_deals,
        sum(case when outcome = '{{ outcome }}' then credited_reporting_amount end)
            as {{ outcome }}_reporting_amount,
        {%- endfor %}
        bool_or(is_partial) as is_partial
    from credit
    group by created_month, model, channel_key
),

deal as (
    select
        deal_key,
        cast(date_trunc('month', {{ reporting_date('created_at') }}) as date) as created_month
    from {{ ref('int_deal') }}
),

conversion as (
    select conversion_id, deal_key from {{ ref('fct_conversion') }} where is_sale and deal_key <> -1
),

revenue as (
    select
        deal.created_month,
        credit.model,
        credit.channel_key,
        sum(credit.credited_reporting_amount) as won_revenue_reporting_amount,
        bool_or(credit.credited_reporting_amount is null) as is_partial
    from {{ ref('fct_attribution_credit') }} as credit
    inner join conversion on credit.conversion_id = conversion.conversion_id
    inner join deal on conversion.deal_key = deal.deal_key
    group by deal.created_month, credit.model, credit.channel_key
),

cell as (
    select created_month, model, channel_key from pipeline
    union
    select created_month, model, channel_key from revenue
),

channel as (
    select channel_key, channel, channel_group from {{ ref('dim_channel') }}
),

final as (
    select
        cell.created_month,
        cell.model,
        cell.channel_key,
        channel.channel,
        channel.channel_group,
        coalesce(pipeline.touched_deal_count, 0) as touched_deal_count,
        {%- for outcome in ['open', 'won', 'lost'] %}
        cast(coalesce(pipeline.{{ outcome }}_deals, 0) as decimal(28, 12)) as {{ outcome }}_deals,
        cast(coalesce(pipeline.{{ outcome }}_reporting_amount, 0) as decimal(18, 6))
            as {{ outcome }}_reporting_amount,
        {%- endfor %}
        cast(coalesce(revenue.won_revenue_reporting_amount, 0) as decimal(18, 6))
            as won_revenue_reporting_amount,
        {{ ratio('pipeline.won_deals', '(pipeline.won_deals + pipeline.lost_deals)') }}
            as win_rate,
        coalesce(pipeline.is_partial, false) or coalesce(revenue.is_partial, false) as is_partial
    from cell
    inner join channel on cell.channel_key = channel.channel_key
    left join pipeline
        on
            (cell.created_month is not distinct from pipeline.created_month)
            and cell.model = pipeline.model
            and cell.channel_key = pipeline.channel_key
    left join revenue
        on
            (cell.created_month is not distinct from revenue.created_month)
            and cell.model = revenue.model
            and cell.channel_key = revenue.channel_key
)

select * from final
