-- grain: one row per change of a field of a Salesforce account
-- It promises no entity. A field may hold anything about a person, so values are taken only of
-- those that say where an account stands; the others stay in raw.
{{ config(materialized='table', rows='some') }}

with account_history as (
    select * from {{ source('salesforce', 'account_history') }}
    where account_id is not null
),

{{ salesforce_field_changes(
    'account_history', 'account_id', 'account_id', ['Type', 'Industry', 'Rating']
) }}

select * from final
