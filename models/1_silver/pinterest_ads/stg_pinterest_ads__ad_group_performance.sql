-- grain: one row per ad group and day, every report of it
{{ config(entity='ad_performance') }}

with ad_group_report as (
    select * from {{ source('pinterest_ads', 'ad_group_report') }}
),

{{ pinterest_performance(
    'ad_group_report', 'ad_group', ['campaign_id', 'ad_group_id', 'ad_group_name']
) }}

select * from final
