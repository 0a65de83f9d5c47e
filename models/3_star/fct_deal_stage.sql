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

deal as (
    select deal_id, account_id, amount, currency_code
    from (
        select
            deal_id, account_id, amount, currency_code,
            row_number() over (partition by deal_id order by effective_at desc nulls last) as place
        from {{ entity('deal') }}
    )
    where place = 1
),

final as (
    select
        durable_key('deal_stage', entry.deal_id, entry.stage, cast(entry.entered_at as text))
            as deal_stage_key,
        durable_key('deal', entry.deal_id) as deal_key,
        {{ member_key('account', 'deal.account_id') }} as account_key,
        entry.deal_id,
        cast(entry.entered_at as date) as event_date,
        {{ reporting_date('entry.entered_at') }} as reporting_date,
        entry.entered_at,
        lead(entry.entered_at) over by_time as left_at,
        entry.source_name,
        entry.pipeline,
        entry.stage,
        lag(entry.stage) over by_time as previous_stage,
        cast(row_number() over by_time as bigint) as stage_number,
        entry.probability,
        deal.amount as deal_amount,
        upper(coalesce(deal.currency_code, '{{ project.reporting.currency }}')) as currency_code,
        coalesce(entry.is_closed, false) as is_closed,
        coalesce(entry.is_won, false) as is_won,
        entry.is_inferred
    from entry
    left join deal on entry.deal_id = deal.deal_id
    window by_time as (partition by entry.deal_id order by entry.entered_at, entry.stage)
)

select * from final
