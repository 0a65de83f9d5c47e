-- Deals that the funnel calls won are those that stand as evidence of conversions, and the deals of
-- the funnel are those of the deal stages.
{{ config(severity='error') }}

with funnel as (
    select record_id, subject_key, funnel_stage, reached_at
    from {{ ref('fct_funnel_stage') }}
    where subject_type = 'deal'
),

won as (
    select subject_key as deal_key, reached_at from funnel where funnel_stage = 'won'
),

evidence as (
    select durable_key('deal', evidence_id) as deal_key, min(evidence_at) as evidence_at
    from {{ ref('fct_conversion_evidence') }}
    where evidence_type = 'deal'
    group by durable_key('deal', evidence_id)
),

both as (
    select
        coalesce(won.deal_key, evidence.deal_key) as deal_key,
        won.reached_at,
        evidence.evidence_at
    from won
    full outer join evidence on won.deal_key = evidence.deal_key
),

deal_in_stage as (
    select fct_deal_stage.deal_key
    from {{ ref('fct_deal_stage') }} as fct_deal_stage
    inner join {{ ref('int_deal') }} as int_deal on fct_deal_stage.deal_key = int_deal.deal_key
    where not int_deal.is_deleted and fct_deal_stage.entered_at > {{ beginning() }}
    group by fct_deal_stage.deal_key
),

deal_in_funnel as (
    select subject_key as deal_key from funnel group by subject_key
)

select deal_key, 'won in one of them only, or at another time' as difference
from both
where reached_at is null or evidence_at is null or reached_at <> evidence_at

union all

select deal_in_stage.deal_key, 'has stages, and is not in the funnel' as difference
from deal_in_stage
left anti join deal_in_funnel on deal_in_stage.deal_key = deal_in_funnel.deal_key
