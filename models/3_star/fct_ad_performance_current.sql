-- grain: one row per ad account, report day, level, member and segment, as reported last
{{ config(materialized='view') }}

with ad_performance as (
    select * from {{ ref('fct_ad_performance') }}
)

select * from ad_performance
where is_current
