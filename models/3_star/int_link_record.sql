-- grain: one row per record that should lead to a journey: contact, lead, recipient or sale record
{{ config(materialized='table') }}

with contact as (
    select
        contact_id, source_name, created_at, effective_at, is_deleted,
        row_number() over (
            partition by contact_id order by effective_at desc nulls last, _raw_id desc
        ) as place
    from {{ entity('contact') }}
),

lead as (
    select
        lead_id, source_name, created_at, effective_at, is_deleted,
        row_number() over (
            partition by lead_id order by effective_at desc nulls last, _raw_id desc
        ) as place
    from {{ entity('lead') }}
),

email_event as (
    select source_name, email_hash, min(event_at) as first_at
    from {{ entity('email_event') }}
    where email_hash is not null
    group by source_name, email_hash
),

sale_record as (
    select evidence_type, evidence_id, source_name, evidence_at
    from {{ ref('fct_conversion_evidence') }}
    where is_valid
),

final as (
    select
        'contact' as record_type,
        contact_id as record_id,
        source_name,
        coalesce(created_at, effective_at) as recorded_at,
        {{ node_key('contact', 'contact_id') }} as identity_node_id
    from contact
    where place = 1 and not coalesce(is_deleted, false)

    union all

    select
        'lead' as record_type,
        lead_id as record_id,
        source_name,
        coalesce(created_at, effective_at) as recorded_at,
        {{ node_key('lead', 'lead_id') }} as identity_node_id
    from lead
    where place = 1 and not coalesce(is_deleted, false)

    union all

    select
        'recipient' as record_type,
        concat(source_name, ':', email_hash) as record_id,
        source_name,
        first_at as recorded_at,
        {{ node_key('email', 'email_hash') }} as identity_node_id
    from email_event

    union all

    select
        evidence_type as record_type,
        evidence_id as record_id,
        source_name,
        evidence_at as recorded_at,
        cast(null as bigint) as identity_node_id
    from sale_record
)

select * from final
