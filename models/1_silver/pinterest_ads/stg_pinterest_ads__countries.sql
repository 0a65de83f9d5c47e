-- grain: one row per country of Pinterest
-- It promises no entity: it names what the figures by targeting count.
{{ config(materialized='table', rows='one') }}

with targeting_geo as (
    select * from {{ source('pinterest_ads', 'targeting_geo') }}
),

final as (
    select
        _raw_id,
        country_id,
        country_name
    from targeting_geo
)

select * from final
