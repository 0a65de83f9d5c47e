-- grain: one row per version of an Amazon Ads campaign
{{ config(entity='campaign') }}

with campaign_history as (
    select * from {{ source('amazon_ads', 'campaign_history') }}
),

-- What is archived never comes back.
final as (
    select
        _raw_id,
        'amazon_ads' as platform,
        'campaign' as level,
        profile_id as account_id,
        id as campaign_id,
        name as campaign_name,
        state as status,
        start_date,
        end_date,
        upper(state) = 'ARCHIVED' as is_deleted,
        portfolio_id,
        serving_status,
        targeting_type,
        bidding_strategy,
        budget,
        budget_type,
        effective_budget
    from campaign_history
)

select * from final
