-- Nobody reaches a stage before the one below it, and the cohorts of the mart count each subject
-- once under each way of looking at its touches.
{{ config(severity='error') }}

with stage as (
    select
        subject_type,
        subject_key,
        funnel_stage,
        reached_at,
        lag(reached_at) over (
            partition by subject_type, subject_key order by stage_number
        ) as previous_reached_at
    from {{ ref('fct_funnel_stage') }}
    where funnel_stage <> 'lost'
),

subject as (
    select
        subject_type,
        count(distinct subject_key) as subjects,
        count(distinct case when funnel_stage = 'won' then subject_key end) as won
    from {{ ref('fct_funnel_stage') }}
    group by subject_type
),

mart as (
    select subject_type, touch, sum(entered_count) as subjects, sum(won_count) as won
    from {{ ref('mart_b2b_funnel') }}
    group by subject_type, touch
)

select subject_type, cast(subject_key as text) as place, funnel_stage as difference
from stage
where previous_reached_at > reached_at

union all

select subject.subject_type, mart.touch as place, 'the mart counts others' as difference
from subject
inner join mart on subject.subject_type = mart.subject_type
where subject.subjects <> mart.subjects or subject.won <> mart.won
