-- Whatever the key, what it links and what it leaves unlinked is the revenue of those records; and
-- each pair of sources and key has one row.
{{ config(severity='error') }}

select
    'revenue' as finding,
    record_type,
    record_source,
    cast(null as text) as join_key
from {{ ref('mart_linkability') }}
group by record_type, record_source
having
    max(linked_revenue_reporting_amount + unlinked_revenue_reporting_amount)
    <> min(linked_revenue_reporting_amount + unlinked_revenue_reporting_amount)
    or max(record_count) <> min(record_count)

union all

select 'twice' as finding, record_type, record_source, join_key
from {{ ref('mart_linkability') }}
group by record_type, record_source, join_key, target_type, target_source
having count(*) > 1

union all

select 'counts' as finding, record_type, record_source, join_key
from {{ ref('mart_linkability') }}
where
    matched_count + unmatched_count <> carrying_count
    or carrying_count > record_count
    or linked_sale_count > sale_count
    or advice is null
