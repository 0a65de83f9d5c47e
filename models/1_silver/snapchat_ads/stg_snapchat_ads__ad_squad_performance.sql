-- grain: one row per ad squad (our ad group) and hour, every report of it
{{ config(entity='ad_performance') }}

with ad_squad_hourly_report as (
    select * from {{ source('snapchat_ads', 'ad_squad_hourly_report') }}
),

{{ snapchat_hourly_performance('ad_squad_hourly_report', 'ad_group', 'ad_squad_id') }}

select * from final
