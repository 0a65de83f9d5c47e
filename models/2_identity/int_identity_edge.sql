-- grain: one row per pair of identifiers, rule and source
{{ config(materialized='table', sort=['a_node_key', 'b_node_key']) }}
{%- set probable = project.identity.probable_links %}
{%- set with_probable = probable.enabled and probable.as_evidence_from is not none %}

with evidence as (
    select
        a_node_key, a_type, b_node_key, b_type, 'web_event' as rule, source_name,
        first_at, last_at, evidence_count, evidence_raw_id
    from {{ ref('int_web_identity_day') }}
    where b_type is not null and a_type <> 'click'

    union all

    select
        a_node_key, a_type, b_node_key, b_type, rule, source_name,
        first_at, last_at, evidence_count, evidence_raw_id
    from {{ ref('int_record_identity') }}
    where b_type is not null and a_type <> 'click'
),

-- A number that two shops gave to different orders says nothing of persons.
ambiguous_order as (
    select durable_key('node', 'order', reference) as node_key
    from {{ ref('int_order_reference') }}
    where is_ambiguous
    group by reference
),

-- A click id names one click: it ties a CRM record to the one device that came with it, if the
-- record was made within 90 days of the click. Seen on several devices or records it is no
-- evidence.
click_device as (
    select
        a_node_key as click_key,
        min(b_node_key) as device_key,
        min(first_at) as clicked_at
    from {{ ref('int_web_identity_day') }}
    where a_type = 'click'
    group by a_node_key
    having count(distinct b_node_key) = 1
),

click_record as (
    select
        a_node_key as click_key,
        min(b_node_key) as record_key,
        min(b_type) as record_type,
        min(source_name) as source_name,
        min(first_at) as recorded_at,
        min(evidence_raw_id) as evidence_raw_id
    from {{ ref('int_record_identity') }}
    where a_type = 'click'
    group by a_node_key
    having count(distinct b_node_key) = 1
),

click_link as (
    select
        click_record.record_key as a_node_key,
        click_record.record_type as a_type,
        click_device.device_key as b_node_key,
        'device' as b_type,
        'click_id' as rule,
        click_record.source_name,
        click_record.recorded_at as first_at,
        click_record.recorded_at as last_at,
        cast(1 as bigint) as evidence_count,
        click_record.evidence_raw_id
    from click_record
    inner join click_device on click_record.click_key = click_device.click_key
    where
        click_record.recorded_at >= click_device.clicked_at - interval '1 day'
        and click_record.recorded_at <= click_device.clicked_at + interval '90 days'
),

-- What somebody decided to be one.
merged as (
    select
        a_key as a_node_key,
        a_type,
        b_key as b_node_key,
        b_type,
        'decision' as rule,
        'identity_decision' as source_name,
        decided_at as first_at,
        decided_at as last_at,
        cast(1 as bigint) as evidence_count,
        cast(null as bigint) as evidence_raw_id
    from {{ ref('int_identity_decision') }}
    where is_in_force and action = 'merge'
),

{% if with_probable -%}
-- What is probable enough for the project. Without a time it gives way to all that has one: to
-- every link where limits are passed, to an unmerge, to an erasure.
probable_link as (
    select
        a_key as a_node_key,
        a_type,
        b_key as b_node_key,
        b_type,
        'probable' as rule,
        'int_probable_link' as source_name,
        {{ no_instant() }} as first_at,
        {{ no_instant() }} as last_at,
        cast(1 as bigint) as evidence_count,
        cast(null as bigint) as evidence_raw_id
    from {{ ref('int_probable_link') }}
    where match_probability >= {{ probable.as_evidence_from }}
),

{% endif -%}
all_evidence as (
    select * from evidence
    union all
    select * from click_link
    union all
    select * from merged
    {%- if with_probable %}
    union all
    select * from probable_link
    {%- endif %}
),

final as (
    select
        all_evidence.a_node_key,
        all_evidence.a_type,
        all_evidence.b_node_key,
        all_evidence.b_type,
        all_evidence.rule,
        all_evidence.source_name,
        min(all_evidence.first_at) as first_at,
        max(all_evidence.last_at) as last_at,
        cast(sum(all_evidence.evidence_count) as bigint) as evidence_count,
        min(all_evidence.evidence_raw_id) as evidence_raw_id
    from all_evidence
    left anti join ambiguous_order on all_evidence.a_node_key = ambiguous_order.node_key
    left anti join ambiguous_order
        as ambiguous_end on all_evidence.b_node_key = ambiguous_end.node_key
    group by
        all_evidence.a_node_key, all_evidence.a_type, all_evidence.b_node_key, all_evidence.b_type,
        all_evidence.rule, all_evidence.source_name
)

select * from final
