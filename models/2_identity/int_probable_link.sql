-- grain: one row per pair of contacts or leads that are probably one person
{{ config(materialized='table', sort=['a_key', 'b_key']) }}
{%- set probable = project.identity.probable_links %}

-- A guess with a number on it, and empty unless a project asks for it. Nothing here depends on who
-- is who already: links may become evidence of that, if a project says so.
{%- if probable.enabled %}
with link as (
    select *
    from probable_links(
        (select * from {{ ref('int_probable_record') }}),
        report_from => {{ probable.report_from }},
        block_max => {{ probable.block_max }}
    )
),

node as (
    select node_key, node_type, node_value, source_name
    from {{ ref('int_identity_node_seen') }}
    where node_type in ('contact', 'lead')
),

final as (
    select
        link.a_key,
        a_node.node_type as a_type,
        a_node.node_value as a_id,
        a_node.source_name as a_source_name,
        link.b_key,
        b_node.node_type as b_type,
        b_node.node_value as b_id,
        b_node.source_name as b_source_name,
        link.match_weight,
        link.match_probability,
        link.agreement,
        link.blocking_rule
    from link
    inner join node as a_node on link.a_key = a_node.node_key
    inner join node as b_node on link.b_key = b_node.node_key
)
{%- else %}
with final as (
    select
        cast(null as bigint) as a_key,
        cast(null as text) as a_type,
        cast(null as text) as a_id,
        cast(null as text) as a_source_name,
        cast(null as bigint) as b_key,
        cast(null as text) as b_type,
        cast(null as text) as b_id,
        cast(null as text) as b_source_name,
        cast(null as double) as match_weight,
        cast(null as double) as match_probability,
        cast(null as text) as agreement,
        cast(null as text) as blocking_rule
    where false
)
{%- endif %}

select * from final
