-- grain: one row per region of Pinterest
-- It promises no entity: it names what the figures by targeting count.
{{ config(materialized='table', rows='one') }}

with targeting_geo_region as (
    select * from {{ source('pinterest_ads', 'targeting_geo_region') }}
),

final as (
    select
        _raw_id,
        region_id,
        region_name,
        country_id
    from targeting_geo_region
)

select * from final
