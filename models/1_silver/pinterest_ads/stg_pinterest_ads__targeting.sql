-- grain: one row per pin promotion (our ad), kind and value of targeting and day, every report
-- It promises no entity: of its kinds only places are a level of ours, and each counts the same
-- money again. Figures stand as Pinterest gives them.
{{ config(materialized='table', rows='one') }}

with pin_promotion_targeting_report as (
    select * from {{ source('pinterest_ads', 'pin_promotion_targeting_report') }}
),

final as (
    select
        _raw_id,
        'pinterest_ads' as platform,
        left(date, 10) as report_date,
        advertiser_id as account_id,
        campaign_id,
        ad_group_id,
        pin_promotion_id as ad_id,
        targeting_type,
        targeting_value,
        impression_1 as paid_impressions,
        impression_2 as earned_impressions,
        clickthrough_1 as paid_clicks,
        clickthrough_2 as earned_clicks,
        spend_in_micro_dollar as spend_micros,
        total_conversions as conversions,
        total_conversions_quantity as conversion_quantity,
        total_conversions_value_in_micro_dollar as conversion_micros,
        _fivetran_synced as synced_at
    from pin_promotion_targeting_report
)

select * from final
