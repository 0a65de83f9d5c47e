-- grain: one row per version of a Salesforce account in its history
-- The stream may also be Salesforce's own AccountHistory: those rows name the account in
-- `account_id`, and another model takes them.
{{ config(entity='account', rows='some') }}

with account_history as (
    select * from {{ source('salesforce', 'account_history') }}
    where account_id is null
),

{{ salesforce_accounts('account_history') }}

select * from final
