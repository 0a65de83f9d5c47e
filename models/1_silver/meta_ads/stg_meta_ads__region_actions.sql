-- grain: one row per action of a row of demographics_region
-- It promises no entity: the table names no region. `report_id` is that of the figures.
{{ config(materialized='table', rows='one') }}

with demographics_region_actions as (
    select * from {{ source('meta_ads', 'demographics_region_actions') }}
),

{{ meta_geo_actions('demographics_region_actions') }}

select * from final
