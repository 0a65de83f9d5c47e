-- grain: one row per change of a field of a Salesforce opportunity
-- It promises no entity. A field may hold anything about a person, so values are taken only of
-- those that say where a deal stands; the others stay in raw.
{{ config(materialized='table', rows='one') }}

with opportunity_field_history as (
    select * from {{ source('salesforce', 'opportunity_field_history') }}
),

{{ salesforce_field_changes(
    'opportunity_field_history', 'opportunity_id', 'deal_id',
    ['StageName', 'Amount', 'CloseDate', 'Probability']
) }}

select * from final
