-- grain: one row per customer, as it is today
{{ config(materialized='view') }}

with version as (
    select * from {{ ref('dim_customer') }}
),

final as (
    select * from version where is_current
)

select * from final
