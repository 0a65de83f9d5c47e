-- grain: one row per version of an Amazon Ads portfolio
-- It promises no entity: a portfolio is no level of its own, a campaign names its portfolio.
{{ config(materialized='table', rows='one') }}

with portfolio_history as (
    select * from {{ source('amazon_ads', 'portfolio_history') }}
),

final as (
    select
        _raw_id,
        'amazon_ads' as platform,
        profile_id as account_id,
        id as portfolio_id,
        name as portfolio_name,
        state as status,
        serving_status,
        in_budget as is_in_budget,
        budget_amount as budget,
        budget_currency_code as currency_code,
        budget_policy,
        budget_start_date,
        budget_end_date,
        last_updated_date as updated_at
    from portfolio_history
)

select * from final
