-- grain: one row per deal and contact
{{ config(entity='deal_contact') }}
select
    _raw_id,
    deal as deal_id,
    person as contact_id,
    true as is_primary
from {{ source('crm', 'deal_people') }}
