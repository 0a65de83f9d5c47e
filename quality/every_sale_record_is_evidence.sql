-- Whatever a system says of a sale stays as evidence, once, and as that system says it.
{{ config(severity='error') }}

select candidate.record_type, candidate.record_id, count(evidence.evidence_id) as evidence_count
from {{ ref('int_sale_candidate') }} as candidate
left join {{ ref('fct_conversion_evidence') }} as evidence
    on
        candidate.record_type = evidence.evidence_type
        and candidate.record_id = evidence.evidence_id
        and candidate.gross_amount = evidence.gross_amount
        and candidate.currency_code = evidence.currency_code
group by candidate.record_type, candidate.record_id
having count(evidence.evidence_id) <> 1
