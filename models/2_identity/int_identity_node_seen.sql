-- grain: one row per identifier ever seen
{{ config(
    materialized='incremental',
    incremental_strategy='replace_key',
    unique_key='node_key',
    keys_of={'int_web_identity_day': 'a_node_key', 'int_record_identity': 'a_node_key'},
    sort=['node_key']
) }}

with seen as (
    select
        a_node_key, a_type, a_value, first_at, last_at, evidence_count, evidence_raw_id, source_name
    from {{ ref('int_web_identity_day') }}
    where b_type is null

    union all

    select
        a_node_key, a_type, a_value, first_at, last_at, evidence_count, evidence_raw_id, source_name
    from {{ ref('int_record_identity') }}
    where b_type is null
),

final as (
    select
        a_node_key as node_key,
        a_type as node_type,
        min(a_value) as node_value,
        min(source_name) as source_name,
        min(first_at) as first_at,
        max(last_at) as last_at,
        cast(sum(evidence_count) as bigint) as evidence_count,
        min(evidence_raw_id) as evidence_raw_id,
        -- Two values under one key: the hash collided. The quality rule of that name stops the run.
        min(a_value) <> max(a_value) as is_collision
    from seen
    where a_type <> 'click'
    group by a_node_key, a_type
)

select * from final
