-- Words for a stage that the dictionary (seed funnel_stage_rule) does not have: who stands there is
-- in the funnel as far as other records say. Add the words to seeds/funnel_stage_rule.csv.
{{ config(severity='warn') }}

with word as (
    select 'contact' as record, lifecycle_stage as stage from {{ entity('contact') }}
    union all
    select 'lead' as record, status as stage from {{ entity('lead') }}
    union all
    select case when contact_id is not null then 'contact' else 'lead' end as record,
        subject as stage
    from {{ entity('activity') }}
    where activity_type = 'stage_change'
),

counted as (
    select record, {{ stage_word('stage') }} as value, count(*) as row_count
    from word
    where stage is not null
    group by record, {{ stage_word('stage') }}
)

select counted.record, counted.value, counted.row_count
from counted
left anti join {{ ref('funnel_stage_rule') }} as rule
    on counted.record = rule.record and counted.value = rule.value
