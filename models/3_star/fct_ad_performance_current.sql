-- grain: one row per ad account, report day, level, member and segment, as reported last
{{ config(materialized='view') }}

with final as (
    select * from {{ ref('fct_ad_performance') }}
    where is_current
)

select * from final
