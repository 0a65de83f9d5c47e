-- grain: one row per event, as the list of spiders and robots judges its user agent
-- It promises no entity: an event is marked as a bot where the export joins this table to it.
{{ config(materialized='table', rows='one') }}

with spiders_and_robots as (
    select * from {{ source('snowplow', 'spiders_and_robots') }}
),

final as (
    select
        _raw_id,
        root_id as event_id,
        to_instant(root_tstamp) as collector_at,
        category,
        coalesce("primaryImpact", primary_impact) as primary_impact,
        reason,
        coalesce("spiderOrRobot", spider_or_robot) as spider_or_robot
    from spiders_and_robots
)

select * from final
