-- grain: one row per line item (our ad group), day and placement, every report of it
{{ config(entity='ad_performance') }}

with line_item_report as (
    select * from {{ source('x_ads', 'line_item_report') }}
),

{{ x_performance('line_item_report', 'ad_group', 'line_item_id as ad_group_id') }}

select * from final
