-- grain: one row per stage that a deal entered
{{ config(materialized='table', sort=['event_date', 'deal_key']) }}

with deal_version as (
    select
        deal_id, stage, pipeline, is_closed, is_won, probability, source_name,
        coalesce(effective_at, created_at, {{ beginning() }}) as effective_at,
        created_at,
        lag(stage) over (
            partition by deal_id order by coalesce(effective_at, created_at, {{ beginning() }})
        ) as previous_stage,
        row_number() over (
            partition by deal_id order by coalesce(effective_at, created_at, {{ beginning() }})
        ) as place
    from {{ entity('deal') }}
),

stated as (
    select deal_id, stage, entered_at, pipeline, is_closed, is_won, probability, source_name
    from {{ entity('deal_stage') }}
),

-- Where the CRM gives no stage history, the versions of the deal tell when its stage changed.
inferred as (
    select
        deal_version.deal_id,
        deal_version.stage,
        case
            when deal_version.place = 1
                then coalesce(deal_version.created_at, deal_version.effective_at)
            else deal_version.effective_at
        end as entered_at,
        deal_version.pipeline,
        deal_version.is_closed,
        deal_version.is_won,
        deal_version.probability,
        deal_version.source_name
    from deal_version
    left anti join stated on deal_version.deal_id = stated.deal_id
    where
        deal_version.stage is not null
        and (
            deal_version.place = 1
            or deal_version.stage is distinct from deal_version.previous_stage
        )
),

entry as (
    select *, false as is_inferred from stated
    union all
    select *, true as is_inferred from inferred
),

-- A CRM may make an entry when an amount or a close date changes: a stage that follows itself was
-- not entered again.
compared as (
    select
        *,
        lag(stage) over by_time as stage_before,
        lag(pipeline) over by_time as pipeline_before
    from entry
    window by_time as (partition by deal_id order by entered_at, stage)
),

entered as (
    select * from compared
    where
        (stage is distinct from stage_before)
        or (pipeline is not null and pipeline <> pipeline_before)
),

rule as (
    select value, funnel_stage from {{ ref('funnel_stage_rule') }} where record = 'deal'
),

deal as (
    select deal_id, account_id, amount, currency_code from {{ ref('int_deal') }}
),

final as (
    select
        durable_key('deal_stage', entered.deal_id, entered.stage, cast(entered.entered_at as text))
            as deal_stage_key,
        durable_key('deal', entered.deal_id) as deal_key,
        {{ member_key('account', 'deal.account_id') }} as account_key,
        entered.deal_id,
        cast(entered.entered_at as date) as event_date,
        {{ reporting_date('entered.entered_at') }} as reporting_date,
        entered.entered_at,
        lead(entered.entered_at) over by_time as left_at,
        entered.source_name,
        entered.pipeline,
        entered.stage,
        lag(entered.stage) over by_time as previous_stage,
        cast(row_number() over by_time as bigint) as stage_number,
        entered.probability,
        deal.amount as deal_amount,
        coalesce(deal.currency_code, '{{ project.reporting.currency }}') as currency_code,
        coalesce(entered.is_closed, rule.funnel_stage in ('won', 'lost'), false) as is_closed,
        coalesce(entered.is_won, rule.funnel_stage = 'won', false) as is_won,
        entered.is_inferred
    from entered
    left join deal on entered.deal_id = deal.deal_id
    left join rule on {{ stage_word('entered.stage') }} = rule.value
    window by_time as (partition by entered.deal_id order by entered.entered_at, entered.stage)
)

select * from final
