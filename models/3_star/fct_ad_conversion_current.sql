-- grain: one row per platform, day, member, action, window and date basis, as reported last
{{ config(materialized='view') }}

with final as (
    select * from {{ ref('fct_ad_conversion') }}
    where is_current
)

select * from final
