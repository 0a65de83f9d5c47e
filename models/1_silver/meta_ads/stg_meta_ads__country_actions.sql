-- grain: one row per action of a row of demographics_country
-- It promises no entity: the table names no country. `report_id` is that of the figures.
{{ config(materialized='table', rows='one') }}

with demographics_country_actions as (
    select * from {{ source('meta_ads', 'demographics_country_actions') }}
),

{{ meta_geo_actions('demographics_country_actions') }}

select * from final
