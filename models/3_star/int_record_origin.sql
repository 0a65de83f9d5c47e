-- grain: one row per contact, lead or deal whose origin the CRM states in a word that is known
{{ config(materialized='table') }}

with record as (
    select 'contact' as record_type, contact_id as record_id, lead_source, effective_at, _raw_id
    from {{ entity('contact') }}
    union all
    select 'lead' as record_type, lead_id as record_id, lead_source, effective_at, _raw_id
    from {{ entity('lead') }}
    union all
    select 'deal' as record_type, deal_id as record_id, lead_source, effective_at, _raw_id
    from {{ entity('deal') }}
),

-- The first that was stated: what is written over later is no origin.
ranked as (
    select
        *,
        row_number() over (
            partition by record_type, record_id order by effective_at nulls first, _raw_id
        ) as place
    from record
    where lead_source is not null
),

origin as (
    select value, channel from {{ ref('stated_origin') }}
),

final as (
    select ranked.record_type, ranked.record_id, ranked.lead_source, origin.channel
    from ranked
    inner join origin on {{ stage_word('ranked.lead_source') }} = origin.value
    where ranked.place = 1
)

select * from final
