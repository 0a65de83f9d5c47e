-- grain: one row per contact
{{ config(entity='contact') }}
select
    _raw_id,
    id as contact_id,
    created as created_at,
    "user" as user_id
from {{ source('crm', 'people') }}
