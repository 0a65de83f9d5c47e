-- grain: one row per pin promotion (our ad) and day, every report of it
{{ config(entity='ad_performance') }}

with pin_promotion_report as (
    select * from {{ source('pinterest_ads', 'pin_promotion_report') }}
),

{{ pinterest_performance(
    'pin_promotion_report', 'ad',
    ['campaign_id', 'ad_group_id', 'pin_promotion_id as ad_id']
) }}

select * from final
