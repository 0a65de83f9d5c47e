-- grain: one row per person, company or deal and stage of the funnel that it reached
{{ config(
    materialized='table',
    sort=['subject_type', 'event_date'],
    share=['entry', 'stated', 'reached']
) }}

with subject as (
    select * from {{ ref('int_funnel_subject') }}
),

stage as (
    select
        funnel_stage,
        cast(stage_number as bigint) as stage_number,
        cast(is_lost as boolean) as is_lost
    from {{ ref('funnel_stage') }}
),

entry as (
    select
        subject.subject_type,
        subject.subject_key,
        entry.funnel_stage,
        stage.stage_number,
        stage.is_lost,
        entry.entered_at,
        entry.record_type,
        entry.record_id,
        entry.stage as record_stage,
        entry.source_name,
        entry.basis
    from {{ ref('int_funnel_entry') }} as entry
    inner join subject
        on entry.record_type = subject.record_type and entry.record_id = subject.record_id
    inner join stage on entry.funnel_stage = stage.funnel_stage
),

-- The first time counts; of being lost, the last.
ranked as (
    select
        *,
        row_number() over (
            partition by subject_type, subject_key, funnel_stage
            order by
                case when is_lost then null else entered_at end,
                case when is_lost then entered_at end desc,
                basis = 'stated' desc, record_type, record_id
        ) as place
    from entry
),

stated as (
    select * from ranked where place = 1
),

progress as (
    select
        subject_type,
        subject_key,
        min(case when not is_lost then stage_number end) as first_number,
        max(case when not is_lost then stage_number end) as last_number,
        max(case when not is_lost then entered_at end) as last_progress_at,
        min(entered_at) as first_entered_at,
        bool_or(funnel_stage = 'won') as is_won
    from entry
    group by subject_type, subject_key
),

deals_of as (
    select subject_type, subject_key, bool_or(deal_outcome = 'open') as has_open_deal
    from subject
    where record_type = 'deal'
    group by subject_type, subject_key
),

-- Every stage up to the furthest one. A deal begins as an opportunity, or where its own first
-- stage stands; a person or a company begins as a lead.
passed as (
    select
        progress.subject_type,
        progress.subject_key,
        stage.funnel_stage,
        stage.stage_number
    from progress
    cross join stage
    where
        not stage.is_lost
        and stage.stage_number <= progress.last_number
        and (
            progress.subject_type <> 'deal'
            or stage.stage_number >= least(progress.first_number, 4)
        )
),

-- A stage that was skipped, or that was reached only after a later one, counts as passed at the
-- time of the first later one.
timed as (
    select
        passed.subject_type,
        passed.subject_key,
        passed.funnel_stage,
        passed.stage_number,
        stated.entered_at as stated_at,
        min(stated.entered_at) over (
            partition by passed.subject_type, passed.subject_key order by passed.stage_number
            rows between current row and unbounded following
        ) as reached_at,
        stated.record_type,
        stated.record_id,
        stated.record_stage,
        stated.source_name,
        stated.basis
    from passed
    left join stated
        on
            passed.subject_type = stated.subject_type
            and passed.subject_key = stated.subject_key
            and passed.funnel_stage = stated.funnel_stage
),

-- Lost is who was given up, came no further after that, has won nothing and has no open deal.
lost as (
    select
        stated.subject_type,
        stated.subject_key,
        stated.funnel_stage,
        stated.stage_number,
        stated.entered_at as stated_at,
        stated.entered_at as reached_at,
        stated.record_type,
        stated.record_id,
        stated.record_stage,
        stated.source_name,
        stated.basis
    from stated
    inner join progress
        on
            stated.subject_type = progress.subject_type
            and stated.subject_key = progress.subject_key
    left join deals_of
        on
            stated.subject_type = deals_of.subject_type
            and stated.subject_key = deals_of.subject_key
    where
        stated.is_lost
        and not progress.is_won
        and not coalesce(deals_of.has_open_deal, false)
        and (
            stated.subject_type = 'deal'
            or progress.last_progress_at is null
            or stated.entered_at >= progress.last_progress_at
        )
),

reached as (
    select * from timed
    union all
    select * from lost
),

-- Who takes part, to find the touches: of a deal its people, of a company all of its own.
member as (
    select subject_type, subject_key, customer_key from subject where customer_key <> 0

    union all

    select 'deal' as subject_type, deal_key as subject_key, customer_key
    from {{ ref('int_deal_party') }}
    where customer_key <> 0

    union all

    select subject.subject_type, subject.subject_key, party.customer_key
    from subject
    inner join {{ ref('int_deal_party') }} as party
        on subject.record_type = 'deal' and subject.record_id = party.deal_id
    where subject.subject_type = 'account' and party.customer_key <> 0
),

distinct_member as (
    select subject_type, subject_key, customer_key
    from member
    group by subject_type, subject_key, customer_key
),

touch as (
    select customer_key, event_at, touch_id, channel_key, campaign_key
    from {{ ref('int_customer_touch') }}
    where not is_conversion and customer_key <> 0
),

-- A touch that names only a company is the company's, and counts for its deals.
account_touch as (
    select account_key, event_at, touch_id, channel_key, campaign_key
    from {{ ref('int_account_touch') }}
),

subject_touch as (
    select
        distinct_member.subject_type, distinct_member.subject_key, touch.event_at, touch.touch_id,
        touch.channel_key, touch.campaign_key
    from distinct_member
    inner join touch on distinct_member.customer_key = touch.customer_key

    union all

    select
        'account' as subject_type, account_key as subject_key, event_at, touch_id, channel_key,
        campaign_key
    from account_touch

    union all

    select
        'deal' as subject_type, durable_key('deal', subject.record_id) as subject_key,
        account_touch.event_at, account_touch.touch_id, account_touch.channel_key,
        account_touch.campaign_key
    from subject
    inner join account_touch on subject.subject_key = account_touch.account_key
    where subject.subject_type = 'account' and subject.record_type = 'deal'
),

touch_before as (
    select
        reached.subject_type,
        reached.subject_key,
        reached.funnel_stage,
        count(*) as touch_count,
        {%- for side in ['first', 'last'] %}
        {%- for column in ['event_at', 'channel_key', 'campaign_key'] %}
        {{ side }}_value(
            subject_touch.{{ column }} order by subject_touch.event_at, subject_touch.touch_id
        ) as {{ side }}_{{ 'touch_at' if column == 'event_at' else column }}
        {{- '' if side == 'last' and loop.last else ',' }}
        {%- endfor %}
        {%- endfor %}
    from reached
    inner join subject_touch
        on
            reached.subject_type = subject_touch.subject_type
            and reached.subject_key = subject_touch.subject_key
            and subject_touch.event_at <= reached.reached_at
    group by reached.subject_type, reached.subject_key, reached.funnel_stage
),

-- Where no touch is known, the origin that the CRM states still says something.
origin as (
    select
        subject.subject_type,
        subject.subject_key,
        {{ channel_key('min(stated_origin.channel)') }} as stated_channel_key
    from subject
    inner join {{ ref('int_record_origin') }} as stated_origin
        on
            subject.record_type = stated_origin.record_type
            and subject.record_id = stated_origin.record_id
    group by subject.subject_type, subject.subject_key
    having count(distinct stated_origin.channel) = 1
),

numbered as (
    select
        reached.*,
        min(reached.reached_at) over by_subject as entered_funnel_at,
        lag(reached.reached_at) over by_stage as previous_reached_at,
        lag(reached.stated_at) over by_stage as previous_stated_at,
        lag(reached.basis) over by_stage as previous_basis
    from reached
    window
        by_subject as (partition by reached.subject_type, reached.subject_key),
        by_stage as (
            partition by reached.subject_type, reached.subject_key order by reached.stage_number
        )
),

final as (
    select
        durable_key('funnel_stage', numbered.subject_type, cast(numbered.subject_key as text),
            numbered.funnel_stage) as funnel_stage_key,
        numbered.subject_type,
        numbered.subject_key,
        numbered.funnel_stage,
        numbered.stage_number,
        cast(numbered.reached_at as date) as event_date,
        {{ reporting_date('numbered.reached_at') }} as reporting_date,
        numbered.reached_at,
        numbered.stated_at,
        case
            when numbered.stated_at is null then 'skipped'
            when numbered.stated_at > numbered.reached_at then 'out of order'
            else numbered.basis
        end as basis,
        numbered.stated_at is null as is_skipped,
        coalesce(numbered.stated_at > numbered.reached_at, false) as is_out_of_order,
        coalesce(
            numbered.stated_at = numbered.reached_at and numbered.basis <> 'first seen', false
        ) as is_time_known,
        numbered.record_type,
        numbered.record_id,
        numbered.record_stage,
        numbered.source_name,
        numbered.entered_funnel_at,
        {{ reporting_date('numbered.entered_funnel_at') }} as entry_date,
        numbered.previous_reached_at,
        -- Days since the stage before, where both times are known.
        case
            when
                numbered.stated_at = numbered.reached_at
                and numbered.basis <> 'first seen'
                and numbered.previous_stated_at = numbered.previous_reached_at
                and numbered.previous_basis <> 'first seen'
                then (
                    date_part('epoch', numbered.reached_at)
                    - date_part('epoch', numbered.previous_reached_at)
                ) / 86400.0
        end as days_since_previous,
        coalesce(touch_before.touch_count, 0) as touch_count,
        touch_before.first_touch_at,
        coalesce(touch_before.first_channel_key, origin.stated_channel_key, -1)
            as first_channel_key,
        coalesce(touch_before.first_campaign_key, -1) as first_campaign_key,
        touch_before.last_touch_at,
        coalesce(touch_before.last_channel_key, origin.stated_channel_key, -1)
            as last_channel_key,
        coalesce(touch_before.last_campaign_key, -1) as last_campaign_key,
        case
            when touch_before.touch_count is not null then 'touch'
            when origin.stated_channel_key is not null then 'stated origin'
            else 'none'
        end as channel_basis
    from numbered
    left join touch_before
        on
            numbered.subject_type = touch_before.subject_type
            and numbered.subject_key = touch_before.subject_key
            and numbered.funnel_stage = touch_before.funnel_stage
    left join origin
        on
            numbered.subject_type = origin.subject_type
            and numbered.subject_key = origin.subject_key
)

select * from final
