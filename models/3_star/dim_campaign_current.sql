-- grain: one row per account, campaign, ad group or ad of an ad platform, as it is today
{{ config(materialized='view') }}

with version as (
    select * from {{ ref('dim_campaign') }}
),

final as (
    select * from version where is_current
)

select * from final
