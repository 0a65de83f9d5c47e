-- grain: one row per fit of a closed period, channel and time at which it was noticed
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

-- A log: a fit once made is kept, whatever the data of its period become.
with fit as (
    select * from {{ ref('int_attribution_fit').render() }} where is_closed
),

before as (
    select fit_id from {{ previous('int_attribution_fit') }} where is_closed group by fit_id
),

final as (
    select
        fit.*,
        arrow_cast(now(), 'Timestamp(Microsecond, Some("UTC"))') as fitted_at
    from fit
    left anti join before on fit.fit_id = before.fit_id
)

select * from final
