-- grain: one row per page, with how fast it was
-- It promises no entity: it measures a page, not what somebody did there.
{{ config(materialized='table', rows='one') }}

with web_vitals as (
    select * from {{ source('snowplow', 'web_vitals') }}
),

final as (
    select
        _raw_id,
        root_id as event_id,
        to_instant(root_tstamp) as collector_at,
        cls,
        fcp,
        fid,
        inp,
        lcp,
        ttfb,
        coalesce("navigationType", navigation_type) as navigation_type
    from web_vitals
)

select * from final
