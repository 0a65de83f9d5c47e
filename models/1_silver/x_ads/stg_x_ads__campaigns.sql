-- grain: one row per version of an X campaign
{{ config(entity='campaign') }}

with campaign_history as (
    select * from {{ source('x_ads', 'campaign_history') }}
),

final as (
    select
        _raw_id,
        'x_ads' as platform,
        'campaign' as level,
        account_id,
        id as campaign_id,
        name as campaign_name,
        entity_status as status,
        currency as currency_code,
        start_time as start_date,
        end_time as end_date,
        deleted as is_deleted,
        {{ amount_of_micros('daily_budget_amount_local_micro') }} as daily_budget,
        {{ amount_of_micros('total_budget_amount_local_micro') }} as total_budget,
        funding_instrument_id,
        servable as is_servable
    from campaign_history
)

select * from final
