-- A record of a sale is evidence of one conversion, and a conversion is there once.
{{ config(severity='error') }}

select 'record in two sales' as finding, concat(evidence_type, ' ', evidence_id) as subject
from {{ ref('fct_conversion_evidence') }}
group by concat(evidence_type, ' ', evidence_id)
having count(distinct conversion_id) > 1

union all

select 'conversion twice' as finding, cast(conversion_id as text) as subject
from {{ ref('fct_conversion') }}
group by cast(conversion_id as text)
having count(*) > 1

union all

-- Two conversions with records of the same order number are one sale counted twice.
select 'order in two sales' as finding, shop_order.order_number as subject
from {{ ref('fct_conversion_evidence') }} as evidence
inner join {{ ref('fct_order') }} as shop_order on evidence.evidence_id = shop_order.order_id
where evidence.evidence_type = 'order' and evidence.is_valid
group by shop_order.order_number, shop_order.source_name
having count(distinct evidence.conversion_id) > 1
