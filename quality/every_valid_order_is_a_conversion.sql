-- Orders that are neither cancelled nor tests are all there as sales.
{{ config(severity='error') }}

select shop_order.order_id
from {{ ref('fct_order') }} as shop_order
left anti join (
    select evidence.evidence_id
    from {{ ref('fct_conversion_evidence') }} as evidence
    inner join {{ ref('fct_conversion') }} as conversion
        on evidence.conversion_id = conversion.conversion_id
    where evidence.evidence_type = 'order'
) as counted on shop_order.order_id = counted.evidence_id
where not shop_order.is_cancelled and not shop_order.is_test
