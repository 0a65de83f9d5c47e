-- grain: one row per version of a Salesforce account
{{ config(entity='account') }}

with account as (
    select * from {{ source('salesforce', 'account') }}
),

{{ salesforce_accounts('account') }}

select * from final
