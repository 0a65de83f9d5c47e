-- grain: one row per line item (our ad group), keyword, day and placement, every report of it
{{ config(entity='ad_performance') }}

with line_item_keywords_report as (
    select * from {{ source('x_ads', 'line_item_keywords_report') }}
),

{{ x_performance(
    'line_item_keywords_report', 'keyword', 'line_item_id as ad_group_id',
    split_by=[['keyword', 'coalesce(segment_name, segment)']],
    columns=['coalesce(segment_name, segment) as keyword_text']
) }}

select * from final
