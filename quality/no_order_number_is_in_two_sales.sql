-- An order number, transaction ids and numbers on deals and invoices among them, is in one sale;
-- unless two shops gave it to different orders, or a rule of the project refused the match.
{{ config(severity='error') }}

with record as (
    select sale_record.record_type, sale_record.record_id, sale_record.conversion_id,
        candidate.order_reference
    from {{ ref('int_sale_record') }} as sale_record
    inner join {{ ref('int_sale_candidate') }} as candidate
        on
            sale_record.record_type = candidate.record_type
            and sale_record.record_id = candidate.record_id
    where sale_record.is_valid and candidate.order_reference is not null
),

ambiguous as (
    select reference from {{ ref('int_order_reference') }}
    where is_ambiguous
),

refused as (
    select record_type, record_id from {{ ref('int_sale_match') }}
    where standing not in ('matched', 'no such record')
)

select record.order_reference, count(distinct record.conversion_id) as sale_count
from record
left anti join ambiguous on record.order_reference = ambiguous.reference
left anti join refused
    on record.record_type = refused.record_type and record.record_id = refused.record_id
group by record.order_reference
having count(distinct record.conversion_id) > 1
