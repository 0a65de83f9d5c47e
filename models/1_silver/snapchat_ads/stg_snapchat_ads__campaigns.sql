-- grain: one row per version of a Snapchat campaign
{{ config(entity='campaign') }}

with campaign_history as (
    select * from {{ source('snapchat_ads', 'campaign_history') }}
),

final as (
    select
        _raw_id,
        'snapchat_ads' as platform,
        'campaign' as level,
        ad_account_id as account_id,
        id as campaign_id,
        name as campaign_name,
        status,
        objective,
        start_time as start_date,
        end_time as end_date,
        coalesce(updated_at, _fivetran_synced) as effective_at,
        {{ amount_of_micros('daily_budget_micro') }} as daily_budget,
        {{ amount_of_micros('lifetime_spend_cap_micro') }} as lifetime_spend_cap
    from campaign_history
)

select * from final
