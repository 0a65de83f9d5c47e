-- grain: one row per version of a Salesforce contact
{{ config(entity='contact') }}

with contact as (
    select * from {{ source('salesforce', 'contact') }}
),

{{ salesforce_contacts('contact') }}

select * from final
