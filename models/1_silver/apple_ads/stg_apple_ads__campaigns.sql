-- grain: one row per version of an Apple Ads campaign
{{ config(entity='campaign') }}

with campaign_history as (
    select * from {{ source('apple_ads', 'campaign_history') }}
),

final as (
    select
        _raw_id,
        'apple_ads' as platform,
        'campaign' as level,
        organization_id as account_id,
        id as campaign_id,
        name as campaign_name,
        status,
        coalesce(budget_currency, daily_budget_currency) as currency_code,
        start_time as start_date,
        end_time as end_date,
        deleted as is_deleted,
        adam_id as app_id,
        serving_status,
        serving_state_reasons,
        budget_amount as total_budget,
        daily_budget_amount as daily_budget,
        payment_model
    from campaign_history
)

select * from final
