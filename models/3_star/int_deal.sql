-- grain: one row per deal, as it is now
{{ config(materialized='table', sort=['deal_key']) }}

{%- set reporting = project.reporting.currency %}

with deal_version as (
    select
        *,
        row_number() over (
            partition by deal_id order by effective_at desc nulls last, _raw_id desc
        ) as place,
        min(created_at) over (partition by deal_id) as first_created_at,
        min(effective_at) over (partition by deal_id) as first_effective_at
    from {{ entity('deal') }}
),

stage_entry as (
    select
        deal_id, stage, is_closed, is_won,
        row_number() over (partition by deal_id, stage order by entered_at desc) as place
    from {{ entity('deal_stage') }}
),

rule as (
    select value, funnel_stage from {{ ref('funnel_stage_rule') }} where record = 'deal'
),

-- What the deal itself says comes first, then what its stage history says of the stage it is in,
-- then the dictionary's meaning of that stage.
judged as (
    select
        deal_version.*,
        coalesce(deal_version.is_won, stage_entry.is_won, rule.funnel_stage = 'won', false)
            as won,
        coalesce(deal_version.is_closed, stage_entry.is_closed, rule.funnel_stage = 'lost', false)
            as closed
    from deal_version
    left join stage_entry
        on
            deal_version.deal_id = stage_entry.deal_id
            and deal_version.stage = stage_entry.stage
            and stage_entry.place = 1
    left join rule on {{ stage_word('deal_version.stage') }} = rule.value
    where deal_version.place = 1
),

dated as (
    select
        *,
        won or closed as is_over,
        coalesce(first_created_at, first_effective_at) as begun_at,
        -- When it was decided; where nobody says, when it was last told of.
        case
            when won or closed then coalesce(closed_at, effective_at, created_at)
        end as ended_at,
        upper(coalesce(currency_code, '{{ reporting }}')) as deal_currency_code
    from judged
),

exchange_rate as (
    select rate_date, currency_code, exchange_rate, exchange_rate_date
    from {{ ref('int_exchange_rate_day') }}
),

with_rate as (
    select
        dated.*,
        {{ rate_of('dated.deal_currency_code') }} as exchange_rate
    from dated
    left join exchange_rate
        on
            dated.deal_currency_code = exchange_rate.currency_code
            and cast(coalesce(dated.ended_at, dated.begun_at) as date) = exchange_rate.rate_date
),

final as (
    select
        durable_key('deal', deal_id) as deal_key,
        deal_id,
        account_id,
        {{ member_key('account', 'account_id') }} as account_key,
        source_name,
        pipeline,
        stage,
        lead_source,
        begun_at as created_at,
        ended_at as closed_at,
        order_id,
        invoice_id,
        amount,
        deal_currency_code as currency_code,
        exchange_rate,
        {{ reporting_amount('amount', 'exchange_rate') }} as reporting_amount,
        coalesce(is_deleted, false) as is_deleted,
        won as is_won,
        is_over as is_closed,
        case when won then 'won' when closed then 'lost' else 'open' end as outcome,
        coalesce(amount, {{ no_money() }}) <> 0 and exchange_rate is null as is_partial
    from with_rate
)

select * from final
