-- grain: one row per month of entry, kind of subject, touch that is looked at and channel
{{ config(materialized='table', sort=['entry_month', 'subject_type']) }}

{%- set stages = ['lead', 'mql', 'sql', 'opportunity', 'won', 'lost'] %}
{%- set steps = [['lead', 'mql'], ['mql', 'sql'], ['sql', 'opportunity'], ['opportunity', 'won']] %}

-- Cohorts: whoever entered in a month is counted in it at every stage, however much later it was
-- reached. Persons, companies and deals are three ways to count the same: never add them. The same
-- holds for `first` (the channel of the first touch before the entry) and `last` (of the last one).
with stage as (
    select * from {{ ref('fct_funnel_stage') }}
),

entry as (
    select
        *,
        row_number() over (
            partition by subject_type, subject_key order by reached_at, stage_number
        ) as place
    from stage
),

subject as (
    select
        entry.subject_type,
        entry.subject_key,
        cast(date_trunc('month', entry.entry_date) as date) as entry_month,
        unnest(make_array(
            named_struct('touch', 'first', 'channel_key', entry.first_channel_key),
            named_struct('touch', 'last', 'channel_key', entry.last_channel_key)
        )) as cohort
    from entry
    where entry.place = 1
),

-- One row per subject: when it reached each stage, and where both ends of a step are known.
progress as (
    select
        subject_type,
        subject_key,
        {%- for stage in stages %}
        max(case when funnel_stage = '{{ stage }}' then reached_at end) as {{ stage }}_at,
        max(case when funnel_stage = '{{ stage }}' and is_time_known then reached_at end)
            as {{ stage }}_known_at,
        {%- endfor %}
        sum(case when is_skipped then 1 else 0 end) as skipped_count,
        sum(case when is_out_of_order then 1 else 0 end) as out_of_order_count
    from stage
    group by subject_type, subject_key
),

timed as (
    select
        subject.entry_month,
        subject.subject_type,
        subject.cohort['touch'] as touch,
        subject.cohort['channel_key'] as channel_key,
        progress.*
        {%- for step in steps + [['lead', 'won']] %},
        (
            date_part('epoch', progress.{{ step[1] }}_known_at)
            - date_part('epoch', progress.{{ step[0] }}_known_at)
        ) / 86400.0 as {{ step[0] }}_to_{{ step[1] }}_days
        {%- endfor %}
    from subject
    inner join (
        select subject_type as type_of_subject, subject_key as key_of_subject, *
        from progress
    ) as progress
        on
            subject.subject_type = progress.type_of_subject
            and subject.subject_key = progress.key_of_subject
),

counted as (
    select
        entry_month,
        subject_type,
        touch,
        channel_key,
        count(*) as entered_count
        {%- for stage in stages %},
        count({{ stage }}_at) as {{ stage }}_count
        {%- endfor %},
        count(*) - count(won_at) - count(lost_at) as open_count,
        cast(sum(skipped_count) as bigint) as skipped_stage_count,
        cast(sum(out_of_order_count) as bigint) as out_of_order_stage_count
        {%- for step in steps + [['lead', 'won']] %},
        count({{ step[0] }}_to_{{ step[1] }}_days) as {{ step[0] }}_to_{{ step[1] }}_timed_count,
        median({{ step[0] }}_to_{{ step[1] }}_days) as {{ step[0] }}_to_{{ step[1] }}_days_median,
        avg({{ step[0] }}_to_{{ step[1] }}_days) as {{ step[0] }}_to_{{ step[1] }}_days_mean
        {%- endfor %}
    from timed
    group by entry_month, subject_type, touch, channel_key
),

channel as (
    select channel_key, channel, channel_group from {{ ref('dim_channel') }}
),

final as (
    select
        counted.entry_month,
        counted.subject_type,
        counted.touch,
        counted.channel_key,
        channel.channel,
        channel.channel_group,
        counted.entered_count
        {%- for stage in stages %},
        counted.{{ stage }}_count
        {%- endfor %},
        counted.open_count,
        counted.skipped_stage_count,
        counted.out_of_order_stage_count
        {%- for step in steps + [['lead', 'won']] %},
        {{ ratio('counted.' ~ step[1] ~ '_count', 'counted.' ~ step[0] ~ '_count') }}
            as {{ step[0] }}_to_{{ step[1] }}_rate,
        counted.{{ step[0] }}_to_{{ step[1] }}_timed_count,
        counted.{{ step[0] }}_to_{{ step[1] }}_days_median,
        counted.{{ step[0] }}_to_{{ step[1] }}_days_mean
        {%- endfor %}
    from counted
    inner join channel on counted.channel_key = channel.channel_key
)

select * from final
