-- grain: one row per version of an X line item (our ad group)
{{ config(entity='campaign') }}

with line_item_history as (
    select * from {{ source('x_ads', 'line_item_history') }}
),

final as (
    select
        _raw_id,
        'x_ads' as platform,
        'ad_group' as level,
        campaign_id,
        id as ad_group_id,
        name as ad_group_name,
        entity_status as status,
        product_type as campaign_type,
        objective,
        currency as currency_code,
        start_time as start_date,
        end_time as end_date,
        deleted as is_deleted,
        optimization,
        {{ amount_of_micros('bid_amount_local_micro') }} as bid,
        coalesce(bid_strategy, bid_type) as bid_strategy,
        bid_unit,
        charge_by,
        {{ amount_of_micros('target_cpa_local_micro') }} as target_cpa,
        {{ amount_of_micros('total_budget_amount_local_micro') }} as total_budget
    from line_item_history
)

select * from final
