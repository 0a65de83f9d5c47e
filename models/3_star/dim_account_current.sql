-- grain: one row per company, as it is today
{{ config(materialized='view') }}

with version as (
    select * from {{ ref('dim_account') }}
),

final as (
    select * from version where is_current
)

select * from final
