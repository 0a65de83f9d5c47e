-- Decisions in `identity_decision.csv` that cannot be read: they are passed over.
{{ config(severity='warn') }}

select decision_id, action, a_type, a_key, b_type, b_key, decided_at
from {{ ref('int_identity_decision') }}
where not is_valid
