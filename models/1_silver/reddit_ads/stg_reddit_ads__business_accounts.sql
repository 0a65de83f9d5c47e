-- grain: one row per version of a Reddit ad account, where it lands as business_account
{{ config(entity='campaign') }}

with business_account as (
    select * from {{ source('reddit_ads', 'business_account') }}
),

{{ reddit_accounts('business_account') }}

select * from final
