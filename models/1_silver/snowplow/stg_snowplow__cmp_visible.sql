-- grain: one row per showing of the consent dialogue
-- It promises no entity: it says of an event how long the dialogue took to show.
{{ config(materialized='table', rows='one') }}

with cmp_visible as (
    select * from {{ source('snowplow', 'cmp_visible') }}
),

final as (
    select
        _raw_id,
        root_id as event_id,
        to_instant(root_tstamp) as collector_at,
        coalesce("elapsedTime", elapsed_time) as elapsed_time
    from cmp_visible
)

select * from final
