-- grain: one row per record (contact, lead, deal), funnel stage and instant at which it is told of
{{ config(materialized='table', share=['version', 'meant', 'deal_entry']) }}

-- What CRMs say in words of their own becomes a stage of the funnel by the seed funnel_stage_rule.
with rule as (
    select record, value, funnel_stage from {{ ref('funnel_stage_rule') }}
),

-- Histories of stages, stated by the CRM: the times are what they say.
change as (
    select
        case when contact_id is not null then 'contact' else 'lead' end as record_type,
        coalesce(contact_id, lead_id) as record_id,
        subject as stage,
        activity_at as entered_at,
        source_name
    from {{ entity('activity') }}
    where activity_type = 'stage_change' and coalesce(contact_id, lead_id) is not null
),

has_history as (
    select record_type, record_id from change group by record_type, record_id
),

-- Without one, the versions of a record tell when its stage changed.
contact_version as (
    select
        'contact' as record_type,
        contact_id as record_id,
        lifecycle_stage as stage,
        coalesce(effective_at, created_at, {{ beginning() }}) as told_at,
        created_at,
        source_name,
        coalesce(is_deleted, false) as is_deleted,
        false as is_converted,
        _raw_id
    from {{ entity('contact') }}
),

lead_version as (
    select
        'lead' as record_type,
        lead_id as record_id,
        status as stage,
        coalesce(effective_at, created_at, {{ beginning() }}) as told_at,
        created_at,
        source_name,
        coalesce(is_deleted, false) as is_deleted,
        coalesce(contact_id, account_id, deal_id) is not null as is_converted,
        _raw_id
    from {{ entity('lead') }}
),

record_version as (
    select * from contact_version
    union all
    select * from lead_version
),

version as (
    select
        *,
        row_number() over by_time as place,
        min(created_at) over (partition by record_type, record_id) as first_created_at,
        lag(stage) over by_time as previous_stage,
        lag(is_converted) over by_time as was_converted,
        first_value(is_deleted) over (
            partition by record_type, record_id order by told_at desc, _raw_id desc
        ) as is_gone
    from record_version
    window by_time as (partition by record_type, record_id order by told_at, _raw_id)
),

-- Of the first version nobody knows how long it had been so: it is dated when it was told.
version_change as (
    select
        version.record_type,
        version.record_id,
        version.stage,
        greatest(version.told_at, coalesce(version.first_created_at, version.told_at))
            as entered_at,
        version.source_name,
        case
            when version.place > 1 then 'version'
            -- It was told when it was made: so it began.
            when version.told_at <= version.first_created_at then 'created'
            else 'first seen'
        end as basis
    from version
    left anti join has_history
        on
            version.record_type = has_history.record_type
            and version.record_id = has_history.record_id
    where
        version.stage is not null
        and (version.place = 1 or (version.stage is distinct from version.previous_stage))
),

worded as (
    select record_type, record_id, stage, entered_at, source_name, 'stated' as basis from change
    union all
    select record_type, record_id, stage, entered_at, source_name, basis from version_change
),

meant as (
    select
        worded.record_type,
        worded.record_id,
        rule.funnel_stage,
        worded.stage,
        worded.entered_at,
        worded.source_name,
        worded.basis
    from worded
    inner join rule
        on
            worded.record_type = rule.record
            and {{ stage_word('worded.stage') }} = rule.value
    where rule.funnel_stage is not null
),

-- A lead is one since it was made; so is a contact that is met further on, and of which no history
-- says more.
lead_made as (
    select
        record_type,
        record_id,
        'lead' as funnel_stage,
        cast(null as text) as stage,
        coalesce(first_created_at, told_at) as entered_at,
        source_name,
        'created' as basis
    from version
    where record_type = 'lead' and place = 1
),

contact_made as (
    select
        version.record_type,
        version.record_id,
        'lead' as funnel_stage,
        cast(null as text) as stage,
        version.first_created_at as entered_at,
        version.source_name,
        'created' as basis
    from version
    inner join meant
        on
            version.record_type = meant.record_type
            and version.record_id = meant.record_id
            and version.told_at = meant.entered_at
    where
        version.record_type = 'contact'
        and version.place = 1
        and version.first_created_at is not null
        and meant.basis in ('first seen', 'created')
),

-- Who converts a lead holds it qualified. The instant stands in the link, else the versions tell.
link as (
    select
        case when a_type = 'lead' then a_value else b_value end as lead_id,
        min(linked_at) as linked_at
    from {{ entity('identity_link') }}
    where
        rule = 'crm_conversion' and linked_at is not null
        and (
            (a_type = 'lead' and b_type = 'contact') or (a_type = 'contact' and b_type = 'lead')
        )
    group by case when a_type = 'lead' then a_value else b_value end
),

lead_converted as (
    select
        version.record_type,
        version.record_id,
        'sql' as funnel_stage,
        cast(null as text) as stage,
        coalesce(link.linked_at, version.told_at) as entered_at,
        version.source_name,
        case
            when link.linked_at is not null then 'stated'
            when version.place = 1 then 'first seen'
            else 'version'
        end as basis
    from version
    left join link on version.record_id = link.lead_id
    where
        version.record_type = 'lead'
        and version.is_converted
        and not coalesce(version.was_converted, false)
),

person_entry as (
    select * from meant
    union all
    select * from lead_made
    union all
    select * from contact_made
    union all
    select * from lead_converted
),

-- Who was deleted in the CRM is in no funnel.
gone as (
    select record_type, record_id from version where is_gone group by record_type, record_id
),

kept_person_entry as (
    select person_entry.*
    from person_entry
    left anti join gone
        on
            person_entry.record_type = gone.record_type
            and person_entry.record_id = gone.record_id
),

deal as (
    select * from {{ ref('int_deal') }} where not is_deleted
),

deal_stage as (
    select deal_id, stage, entered_at, source_name, is_inferred, is_closed
    from {{ ref('fct_deal_stage') }}
),

-- A deal is an opportunity in each of its stages to which the dictionary gives no other meaning.
deal_entry as (
    select
        'deal' as record_type,
        deal_stage.deal_id as record_id,
        coalesce(rule.funnel_stage, 'opportunity') as funnel_stage,
        deal_stage.stage,
        deal_stage.entered_at,
        deal_stage.source_name,
        case when deal_stage.is_inferred then 'version' else 'stated' end as basis
    from deal_stage
    inner join deal on deal_stage.deal_id = deal.deal_id
    left join rule
        on rule.record = 'deal' and {{ stage_word('deal_stage.stage') }} = rule.value
    where not deal_stage.is_closed and coalesce(rule.funnel_stage, '') not in ('won', 'lost')
),

deal_made as (
    select
        'deal' as record_type,
        deal.deal_id as record_id,
        'opportunity' as funnel_stage,
        cast(null as text) as stage,
        deal.created_at as entered_at,
        deal.source_name,
        'created' as basis
    from deal
    left anti join deal_entry on deal.deal_id = deal_entry.record_id
    where deal.created_at is not null
),

-- Won or lost is a deal by what it is now: one that was opened again is neither.
deal_over as (
    select
        'deal' as record_type,
        deal_id as record_id,
        outcome as funnel_stage,
        stage,
        closed_at as entered_at,
        source_name,
        'stated' as basis
    from deal
    where outcome in ('won', 'lost') and closed_at is not null
),

every_entry as (
    select * from kept_person_entry
    union all
    select * from deal_entry
    union all
    select * from deal_made
    union all
    select * from deal_over
),

ranked as (
    select
        *,
        row_number() over (
            partition by record_type, record_id, funnel_stage, entered_at
            order by basis = 'stated' desc, basis, stage nulls last
        ) as place
    from every_entry
    -- What nothing dates cannot be put in order.
    where entered_at > {{ beginning() }}
),

final as (
    select
        durable_key('funnel_entry', record_type, record_id, funnel_stage,
            cast(entered_at as text)) as funnel_entry_key,
        record_type,
        record_id,
        funnel_stage,
        stage,
        entered_at,
        source_name,
        basis
    from ranked
    where place = 1
)

select * from final
