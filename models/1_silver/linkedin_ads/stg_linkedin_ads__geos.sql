-- grain: one row per country or region of LinkedIn
-- It promises no entity: it names what the monthly figures by country and region count.
{{ config(materialized='table', rows='one') }}

with geo as (
    select * from {{ source('linkedin_ads', 'geo') }}
),

final as (
    select
        _raw_id,
        id as geo_id,
        value as geo_name
    from geo
)

select * from final
