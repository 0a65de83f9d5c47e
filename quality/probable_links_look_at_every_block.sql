-- Blocks of contacts and leads that are too large to compare (`identity.probable_links.block_max`,
-- or 10 pairs a record): who stands only in these has no probable links.
{{ config(severity='warn') }}

{% if project.identity.probable_links.enabled -%}
select blocking_rule, left_out_block_count, left_out_record_count, block_size_max
from probable_links(
    (select * from {{ ref('int_probable_record') }}),
    block_max => {{ project.identity.probable_links.block_max }},
    show => 'blocks'
)
where left_out_block_count > 0
{%- else -%}
select 1 as blocking_rule where false
{%- endif %}
