-- Sales of two systems that may be one: the same money at about the same time by one customer, or
-- under numbers that differ by a prefix. `throughline sales` says by which key they should meet.
{{ config(severity='warn') }}

select record_type, record_source, sale_key, target_type, target_source, possibly_twice_count
from {{ ref('mart_sale_match') }}
where level = 'pair' and possibly_twice_count > 0
