-- grain: one row per product, as it is today
{{ config(materialized='view') }}

with version as (
    select * from {{ ref('dim_product') }}
),

final as (
    select * from version where is_current
)

select * from final
