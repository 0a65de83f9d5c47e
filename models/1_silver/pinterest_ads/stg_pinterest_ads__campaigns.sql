-- grain: one row per version of a Pinterest campaign
{{ config(entity='campaign') }}

with campaign_history as (
    select * from {{ source('pinterest_ads', 'campaign_history') }}
),

final as (
    select
        _raw_id,
        'pinterest_ads' as platform,
        'campaign' as level,
        advertiser_id as account_id,
        id as campaign_id,
        name as campaign_name,
        status,
        objective_type as objective,
        start_time as start_date,
        end_time as end_date,
        upper(status) = 'DELETED_DRAFT' as is_deleted,
        {{ amount_of_micros('default_ad_group_budget_in_micro_currency') }}
            as default_ad_group_budget,
        budget_spend_cap,
        lifetime_spend_cap,
        is_automated_campaign,
        is_campaign_budget_optimization
    from campaign_history
)

select * from final
