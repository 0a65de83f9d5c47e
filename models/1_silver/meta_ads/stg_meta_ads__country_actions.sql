-- grain: one row per action of a row of demographics_country
-- It promises no entity: the table names no country. `report_id` is that of the figures.
{{ config(materialized='table', rows='one') }}

with demographics_country_actions as (
    select * from {{ source('meta_ads', 'demographics_country_actions') }}
),

final as (
    select
        _raw_id,
        'meta_ads' as platform,
        _fivetran_id as report_id,
        account_id,
        date as report_date,
        index as action_index,
        action_type as action,
        value as conversions,
        inline as conversions_inline
    from demographics_country_actions
)

select * from final
