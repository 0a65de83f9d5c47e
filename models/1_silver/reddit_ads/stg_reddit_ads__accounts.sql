-- grain: one row per version of a Reddit ad account
{{ config(entity='campaign') }}

with account as (
    select * from {{ source('reddit_ads', 'account') }}
),

{{ reddit_accounts('account') }}

select * from final
